const zero = 0x30
const nine = 0x39
const minus = 0x2d
const point = 0x2e

/**
 * Copies a plain decimal number (`-187.150`), digit by digit as it stands.
 *
 * @returns Where it ends in the target; -1 for anything else, which {@link jsonNumber} may still make sense of.
 */
export function copyPlainNumber(from: Buffer, start: number, end: number, into: Buffer, at: number): number {
  let i = start
  let to = at
  if (from[i] === minus) into[to++] = from[i++] ?? 0
  const first = from[i] ?? 0
  if (i >= end || first < zero || first > nine) return -1
  // A leading zero is no JSON.
  const wholeEnd = first === zero ? i + 1 : end
  for (; i < wholeEnd; i++) {
    const byte = from[i] ?? 0
    if (byte < zero || byte > nine) break
    into[to++] = byte
  }
  if (i === end) return to
  if (from[i] !== point || i + 1 === end) return -1
  into[to++] = point
  for (i += 1; i < end; i++) {
    const byte = from[i] ?? 0
    if (byte < zero || byte > nine) return -1
    into[to++] = byte
  }
  return to
}

const number = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/

/**
 * A number as JSON has it, with the digits that stand in the text: `+.50e3` is `0.50e3`, `007` is `7`, `5.` is `5`.
 *
 * @returns undefined when it is none.
 */
export function jsonNumber(text: string): string | undefined {
  const match = number.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match
  if (whole === '' && fraction === '') return undefined
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  return `${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`
}
