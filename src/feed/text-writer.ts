const zero = 0x30
const billion = 1_000_000_000
const powersOfTen = Array.from({ length: 11 }, (_, exponent) => 10 ** exponent)

/**
 * Writes ASCII text; faster than Buffer.write for short texts. @returns The end position, like all functions in this
 * file.
 */
export function writeText(bytes: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return at + text.length
}

export function copyShort(from: Buffer, start: number, end: number, into: Buffer, at: number): number {
  for (let i = start; i < end; i++) into[at++] = from[i] ?? 0
  return at
}

/** Writes a whole number from 0 to 2^53. */
export function writeWhole(bytes: Buffer, at: number, value: number): number {
  if (value < billion) return writeDecimal(bytes, at, value, 0)
  const high = Math.floor(value / billion)
  const middle = writeWhole(bytes, at, high)
  const end = middle + 9
  let left = (value - high * billion) | 0
  for (let position = end - 1; position >= middle; position--) {
    const rest = (left / 10) | 0
    bytes[position] = zero + left - rest * 10
    left = rest
  }
  return end
}

/** Writes value · 10^-decimals, for a whole value from 0 to 2^31 − 1. */
export function writeDecimal(bytes: Buffer, at: number, value: number, decimals: number): number {
  let digits = decimals + 1
  while (value >= (powersOfTen[digits] ?? Number.POSITIVE_INFINITY)) digits += 1
  const end = at + digits + (decimals > 0 ? 1 : 0)
  let left = value | 0
  let position = end
  for (let i = 0; i < digits; i++) {
    if (i === decimals && decimals > 0) bytes[--position] = 0x2e // .
    const rest = (left / 10) | 0
    bytes[--position] = zero + left - rest * 10
    left = rest
  }
  return end
}
