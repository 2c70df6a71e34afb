/**
 * Exact sums of products in doubles.
 *
 * A product of two integers below 2^52 needs 104 bits and a double holds 53, so factors are split at 26 bits and the
 * partial products summed in four limbs: total = p3·2^103 + p2·2^52 + p1·2^26 + p0. Every limb carries, the top one
 * too: 2^52 messages would fit, which no batch has. What bounds each step is written beside it; all intermediate values
 * stay below 2^53, where integers in doubles are exact. Negative factors work by themselves, since the split floors:
 * x = high·2^26 + low with low from 0 to 2^26 − 1.
 */
export const limbUnit = 2 ** 26
export const limbInverse = 2 ** -26
const topUnit = 2 ** 51

/** Values of this magnitude or more are not for limbs. */
export const limbRange = 2 ** 52

/** Adds high·2^26 + low times high2·2^26 + low2 to the limbs at `at`, `at + 1`, `at + 2`, `at + 3`. */
export function addProduct(
  limbs: Float64Array,
  at: number,
  high: number,
  low: number,
  high2: number,
  low2: number,
): void {
  // p0 < 2^26, the product < 2^52.
  let sum = (limbs[at] as number) + low * low2
  let carry = Math.floor(sum * limbInverse)
  limbs[at] = sum - carry * limbUnit
  // p1 < 2^26 and the carry ≤ 2^26; each product is at most 2^26 · (2^26 − 1), and both at most 2^53 − 2^27.
  sum = (limbs[at + 1] as number) + carry + (high * low2 + low * high2)
  carry = Math.floor(sum * limbInverse)
  limbs[at + 1] = sum - carry * limbUnit
  // |p2| < 2^51, the product ≤ 2^52, the carry ≤ 2^27.
  sum = (limbs[at + 2] as number) + high * high2 + carry
  if (sum >= topUnit || sum <= -topUnit) {
    carry = Math.trunc(sum / topUnit)
    sum -= carry * topUnit
    limbs[at + 3] = (limbs[at + 3] as number) + carry
  }
  limbs[at + 2] = sum
}

/** The limbs at `at` … `at + 3` as one integer. */
export function productSum(limbs: Float64Array, at: number): bigint {
  const [p0 = 0, p1 = 0, p2 = 0, p3 = 0] = limbs.subarray(at, at + 4)
  // Together they are below 2^53: one conversion less.
  const low = BigInt(p1 * limbUnit + p0)
  const high = p3 === 0 ? BigInt(p2) : (BigInt(p3) << 51n) + BigInt(p2)
  return high === 0n ? low : (high << 52n) + low
}

/** Adds an integer below 2^52 in magnitude to the two limbs at `at`: total = s1·2^52 + s0. */
export function addInteger(limbs: Float64Array, at: number, value: number): void {
  let sum = (limbs[at] as number) + value // both below 2^52
  if (sum >= limbRange || sum <= -limbRange) {
    const carry = Math.trunc(sum / limbRange)
    sum -= carry * limbRange
    limbs[at + 1] = (limbs[at + 1] as number) + carry
  }
  limbs[at] = sum
}

/** The two limbs at `at` as one integer. */
export function integerSum(limbs: Float64Array, at: number): bigint {
  const [s0 = 0, s1 = 0] = limbs.subarray(at, at + 2)
  return s1 === 0 ? BigInt(s0) : (BigInt(s1) << 52n) + BigInt(s0)
}
