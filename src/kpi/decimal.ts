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
  const short = parseShort(text, decimals)
  if (short !== undefined) return short
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

/** A number whose digits a double holds; undefined for all else, number or not. */
function parseShort(text: string, decimals: number): bigint | undefined {
  if (text.length > maxShortLength) return undefined
  const first = text.charCodeAt(0) === minus ? 1 : 0
  let end = first
  let digits = 0
  let pointAt = -1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code >= zero && code <= zero + 9) digits = digits * 10 + (code - zero)
    else if (code === point && pointAt < 0) pointAt = end
    else break
  }
  if (end === first || pointAt === first || pointAt === end - 1 || digits > Number.MAX_SAFE_INTEGER) return undefined
  const fraction = pointAt < 0 ? 0 : end - pointAt - 1
  const shift = decimals - fraction + shortExponent(text, end)
  // NaN where something else than an exponent follows.
  if (!(shift >= -mostDropped)) return undefined
  const scaled = shift < 0 ? BigInt(withoutLast(digits, -shift)) : raised(BigInt(digits), shift)
  if (scaled >= bigPowerOfTen(wholeDigits + decimals)) return undefined
  return first === 1 ? -scaled : scaled
}

/** Longer texts have more digits than a double holds, or very many zeros. */
const maxShortLength = 32

/** A whole number below 2^53 without its last digits, rounded half-even. Every step is exact: divisors are powers to 10^22. */
function withoutLast(digits: number, count: number): number {
  const unit = doublePowers[count] as number
  const rest = digits % unit
  const kept = (digits - rest) / unit
  const isUp = rest * 2 > unit || (rest * 2 === unit && kept % 2 === 1)
  return isUp ? kept + 1 : kept
}

/** The powers of ten that a double holds exactly. */
const mostDropped = 22
const doublePowers = Array.from({ length: mostDropped + 1 }, (_, exponent) => Number(`1e${exponent}`))

/** What is written behind the digits: nothing, or an exponent of one or two digits; else NaN. */
function shortExponent(text: string, at: number): number {
  if (at === text.length) return 0
  if ((text.charCodeAt(at) | lowerCase) !== letterE) return Number.NaN
  const sign = text.charCodeAt(at + 1)
  const first = sign === minus || sign === plus ? at + 2 : at + 1
  let exponent = 0
  for (let i = first; i < text.length; i++) {
    const digit = text.charCodeAt(i) - zero
    if (digit < 0 || digit > 9) return Number.NaN
    exponent = exponent * 10 + digit
  }
  if (first === text.length || text.length - first > 2) return Number.NaN
  return sign === minus ? -exponent : exponent
}

const plus = 0x2b
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
