/** Settings of `DECIMALS`: how many fractional digits prices and volumes may keep. */
const fewestDecimals = 8
export const mostDecimals = 18

const jsonNumber = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
/** Rounding may change a value by one part in so many. */
const tolerance = 10_000n
/** With so many digits left, half a unit of the last one is below one ten-thousandth of the value. */
const enoughDigits = 5

/**
 * Whether rounding a JSON number half-even to `decimals` fractional digits changes it by more than one ten-thousandth of
 * its value; so does every number other than 0 that becomes 0.
 *
 * @param text as it is written in a message, exponents included; a text that is no number loses nothing
 */
export function losesPrecision(text: string, decimals: number): boolean {
  const match = jsonNumber.exec(text)
  if (!match) return false
  const [, whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  // Digits that rounding keeps; negative where the first one comes even later than the first that is dropped.
  const kept = digits.length - fraction.length + Number(exponent) + decimals
  if (digits === '' || kept >= enoughDigits) return false
  if (kept < 0) return true
  const dropped = digits.slice(kept).replace(/0+$/, '')
  if (dropped === '') return false
  const unit = 10n ** BigInt(dropped.length)
  const exact = BigInt(digits.slice(0, kept) + dropped)
  const below = exact % unit
  const error = below * 2n > unit ? unit - below : below
  return error * tolerance > exact
}

/**
 * The smallest setting of `DECIMALS` that keeps all digits of a number, or the largest setting where there are more
 * digits than any setting keeps; undefined when even that one loses precision.
 */
export function decimalsToKeep(text: string): number | undefined {
  const match = jsonNumber.exec(text)
  if (!match) return fewestDecimals
  const [, whole = '', fraction = '', exponent = '0'] = match
  const significant = (whole + fraction).replace(/0+$/, '')
  const decimals = significant.length - whole.length - Number(exponent)
  if (decimals <= fewestDecimals || /^0*$/.test(significant)) return fewestDecimals
  if (decimals <= mostDecimals) return decimals
  return losesPrecision(text, mostDecimals) ? undefined : mostDecimals
}
