import { flatDecimals, wideFrom } from './flat-decimal.ts'
import { powerOfTen } from './flat-text.ts'
import { mostDecimals } from './precision.ts'

/** Digits before the point: a magnitude of 10^15 is the first that is refused. */
const wholeDigits = 15

const jsonNumber = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/**
 * Reads a JSON number as the decimal digits in its text, rounded half-even to `decimals` fractional digits: the number x
 * becomes the integer x · 10^decimals; −0 is 0. Time and memory are linear in the length of the text, whatever its
 * exponent.
 *
 * @param decimals - The setting `DECIMALS`, 8 to 18.
 * @returns undefined when the magnitude reaches 10^15 after rounding, and for a text that is no number.
 */
export function parseScaled(text: string, decimals: number): bigint | undefined {
  const short = parseShort(text)
  if (short !== undefined) return raised(BigInt(short), decimals - flatDecimals)
  const match = jsonNumber.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return 0n
  // The value is 0.DIGITS · 10^point. An absurd exponent makes it infinite, which the comparisons below settle.
  const point = digits.length - fraction.length + Number(exponent)
  if (point > wholeDigits) return undefined
  const kept = point + decimals
  if (kept < 0) return 0n
  let scaled = BigInt(digits.slice(0, kept).padEnd(kept, '0') || '0')
  if (roundsUp(digits.slice(kept), scaled)) scaled += 1n
  if (scaled >= bigPowerOfTen(wholeDigits + decimals)) return undefined
  return sign === '-' ? -scaled : scaled
}

/**
 * A decimal of few digits, scaled by 10^8 exactly in a double below 2^52 in magnitude; undefined for all else, number or
 * not.
 */
function parseShort(text: string): number | undefined {
  const first = text.charCodeAt(0) === minus ? 1 : 0
  if (text.length > 15) return undefined
  let end = first
  let digits = 0
  let pointAt = -1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code >= zero && code <= zero + 9) digits = digits * 10 + (code - zero)
    else if (code === point && pointAt < 0) pointAt = end
    else break
  }
  const decimals = pointAt < 0 ? 0 : end - pointAt - 1
  if (end === first || pointAt === first || pointAt === end - 1) return undefined
  const shift = flatDecimals - decimals + shortExponent(text, end)
  const scaled = digits * powerOfTen(shift)
  if (!(scaled < wideFrom)) return undefined
  return first === 1 ? 0 - scaled : scaled
}

/** What stands behind the digits: nothing, or a plain exponent of one digit; else NaN. */
function shortExponent(text: string, at: number): number {
  if (at === text.length) return 0
  const exponent = text.charCodeAt(at + 1) - zero
  const isExponent = (text.charCodeAt(at) | lowerCase) === letterE && exponent >= 0 && exponent <= 9
  return isExponent && at + 2 === text.length ? exponent : Number.NaN
}

const letterE = 0x65
const lowerCase = 0x20
const minus = 0x2d
const point = 0x2e
const zero = 0x30

/** Half-even: whether 0.REST on top of `scaled` rounds to the next integer. */
function roundsUp(rest: string, scaled: bigint): boolean {
  if (rest < '5') return false
  const isTie = /^50*$/.test(rest)
  return !isTie || (scaled & 1n) === 1n
}

/**
 * Plain decimal text of value · 10^-scale, with exactly `scale` digits after the point, as PostgreSQL reads `numeric`.
 *
 * @param scale 0 or more
 */
export function formatScaled(value: bigint, scale: number): string {
  const text = value.toString()
  if (scale === 0) return text
  const wholeLength = text.length - scale
  if (wholeLength > 0 && value >= 0n) return `${text.slice(0, wholeLength)}.${text.slice(wholeLength)}`
  if (value < 0n) return `-${formatScaled(-value, scale)}`
  return `0.${text.padStart(scale, '0')}`
}

/** value · 10^digits, exactly; 0 digits or more. */
export function raised(value: bigint, digits: number): bigint {
  return digits === 0 ? value : value * bigPowerOfTen(digits)
}

/** Of the largest magnitude with most decimals: 10^(15 + 18). To compute a power takes longer than to multiply by it. */
const bigPowers = Array.from({ length: wholeDigits + mostDecimals + 1 }, (_, exponent) => 10n ** BigInt(exponent))

function bigPowerOfTen(exponent: number): bigint {
  return bigPowers[exponent] ?? 10n ** BigInt(exponent)
}
