/** The median and range of several runs. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** All figures are NaN if there are no values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { median: Number.NaN, lowest: Number.NaN, highest: Number.NaN }
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/**
 * The smallest measured value such that at least this share of all values do not exceed it (nearest-rank percentile).
 *
 * @param sorted - In ascending order.
 * @param share - Above 0, up to 1.
 */
export function percentile(sorted: Float64Array, share: number): number {
  const rank = Math.ceil(share * sorted.length - rankSlack)
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN
}

/** In floating point, 0.99 · 100 is slightly above 99. */
const rankSlack = 1e-9
