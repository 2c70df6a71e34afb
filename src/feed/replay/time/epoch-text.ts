/** Units of time since 1970. */
export type EpochUnit = 'epoch seconds' | 'epoch milliseconds' | 'epoch microseconds' | 'epoch nanoseconds'

/** An instant with all its digits. */
export interface EpochTime {
  readonly unit: EpochUnit
  /** Whole seconds since 1970. */
  readonly seconds: number
  /** All digits of the fraction of a second. */
  readonly fraction: string
}

const digitsPerSecond: Readonly<Record<EpochUnit, number>> = {
  'epoch seconds': 0,
  'epoch milliseconds': 3,
  'epoch microseconds': 6,
  'epoch nanoseconds': 9,
}

/**
 * The unit is detected by the number of digits: seconds with that many digits last until 5138, and milliseconds begin
 * in 1973.
 */
const units: readonly { unit: EpochUnit; maxDigits: number }[] = [
  { unit: 'epoch seconds', maxDigits: 11 },
  { unit: 'epoch milliseconds', maxDigits: 14 },
  { unit: 'epoch microseconds', maxDigits: 17 },
  { unit: 'epoch nanoseconds', maxDigits: 20 },
]

const number = /^(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/
const mostDigits = 40

/** Converts an unsigned number to plain digits: `1.7079210e+09` is 1707921000. @returns undefined for anything else. */
export function plainDigits(text: string): { whole: string; fraction: string } | undefined {
  const match = number.exec(text)
  const [, whole = '', fraction = '', exponent = '0'] = match ?? []
  if (whole + fraction === '') return undefined
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point > mostDigits || point < -mostDigits) return undefined
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0')
  const at = Math.max(0, point)
  return { whole: padded.slice(0, at).replace(/^0+(?=\d)/, '') || '0', fraction: padded.slice(at) }
}

/**
 * Reads a number in the given unit, or in the unit that its magnitude suggests.
 *
 * @returns undefined if the magnitude fits no unit.
 */
export function readEpoch(digits: { whole: string; fraction: string }, told?: EpochUnit): EpochTime | undefined {
  const { whole, fraction } = digits
  const unit = told ?? units.find(({ maxDigits }) => whole.length <= maxDigits)?.unit
  if (unit === undefined) return undefined
  const shift = digitsPerSecond[unit]
  const padded = whole.padStart(shift + 1, '0')
  const seconds = Number(padded.slice(0, padded.length - shift))
  return { unit, seconds, fraction: padded.slice(padded.length - shift) + fraction }
}
