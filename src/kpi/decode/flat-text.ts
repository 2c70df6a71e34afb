/**
 * What the fast path skips. Each function gets a position in the bytes of a message that ends on a closing brace, and
 * returns the one behind what it skipped, or {@link declined}.
 */

/** Not a position: the full parser must read this message. */
const declined = -1

export function skipSpace(view: DataView, start: number): number {
  let at = start
  let byte = view.getUint8(at)
  while (byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) byte = view.getUint8(++at)
  return at
}

export function skipDigits(view: DataView, start: number): number {
  let at = start
  while ((view.getUint8(at) ^ zero) <= 9) at++
  return at
}

/** A string in quotes, of printable ASCII without escapes. */
export function skipPlainString(view: DataView, start: number, end: number): number {
  if (view.getUint8(start) !== quote) return declined
  for (let at = start + 1; at < end; at++) {
    const byte = view.getUint8(at)
    if (byte === quote) return at + 1
    if (byte < 0x20 || byte >= 0x7f || byte === backslash) return declined
  }
  return declined
}

/** A plain string, a number, or a word. */
export function skipPlainValue(view: DataView, start: number, end: number): number {
  const first = view.getUint8(start)
  if (first === quote) return skipPlainString(view, start, end)
  if (first === minus || (first ^ zero) <= 9) return skipNumber(view, start)
  return skipWord(view, start, end)
}

function skipNumber(view: DataView, start: number): number {
  const whole = view.getUint8(start) === minus ? start + 1 : start
  let at = skipDigits(view, whole)
  if (at === whole || (view.getUint8(whole) === zero && at > whole + 1)) return declined
  if (view.getUint8(at) !== point) return at
  const fraction = at + 1
  at = skipDigits(view, fraction)
  return at > fraction ? at : declined
}

function skipWord(view: DataView, start: number, end: number): number {
  for (const word of words) {
    let at = start
    while (at < end && view.getUint8(at) === word[at - start]) at++
    if (at - start === word.length) return at
  }
  return declined
}

const words = ['true', 'false', 'null'].map((word) => Uint8Array.from(word, (letter) => letter.charCodeAt(0)))

export function powerOfTen(exponent: number): number {
  return powersOfTen[exponent] ?? Number.NaN
}

/** As many as there are digits behind the point. */
const powersOfTen = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8]

/** Up to four characters as the little-endian integer that a DataView reads. */
export function word(text: string): number {
  let value = 0
  for (let i = 0; i < text.length; i++) value |= text.charCodeAt(i) << (8 * i)
  return value
}

const quote = 0x22
const backslash = 0x5c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
