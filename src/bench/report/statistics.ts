/** What some runs of the same came to. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** Of no values: NaN. */
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
 * The smallest value that at least this share of all do not exceed (nearest rank): one that was really measured.
 *
 * @param sorted - In ascending order.
 * @param share - Above 0, up to 1.
 */
export function percentile(sorted: Float64Array, share: number): number {
  const rank = Math.ceil(share * sorted.length - rankSlack)
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN
}

/** 0.99 · 100 is a little more than 99 in floating point. */
const rankSlack = 1e-9
