import type { Series } from './series.ts'
import { type Spread, spreadOf } from './statistics.ts'

export interface Comparison {
  readonly name: string
  readonly unit: string
  readonly before: Spread
  readonly now: Spread
  /** How much worse than the worst earlier run the current median may be. */
  readonly allowed: number
  readonly verdict: 'better' | 'same' | 'worse' | 'not measured'
}

/**
 * Compares a report with an earlier one. A series is *worse* if its current median is worse than the worst earlier
 * run by more than the noise. The noise is the largest of its floor ({@link Series.noise}), the spread of the earlier
 * runs, and that of the current runs. *Better* is defined the same way in the other direction. A series that is
 * missing now is reported, but does not fail the comparison: a program that is not installed is no regression.
 */
export function compareSeries(before: readonly Series[], now: readonly Series[]): Comparison[] {
  return before.map((old) =>
    compareOne(
      old,
      now.find(({ name }) => name === old.name),
    ),
  )
}

function compareOne(old: Series, found: Series | undefined): Comparison {
  const before = spreadOf(old.values)
  const now = spreadOf(found?.values ?? [])
  const { share, least } = old.noise
  const allowed = Math.max(share * before.median, least, widthOf(before), widthOf(now))
  const { name, unit } = old
  return { name, unit, before, now, allowed, verdict: verdictOf({ before, now, allowed, better: old.better }) }
}

function widthOf({ lowest, highest }: Spread): number {
  // If a series was not measured, its NaN must not spread to the result.
  return Number.isNaN(lowest) ? 0 : highest - lowest
}

function verdictOf(given: {
  before: Spread
  now: Spread
  allowed: number
  better: Series['better']
}): Comparison['verdict'] {
  const { before, now, allowed, better } = given
  if (Number.isNaN(now.median)) return 'not measured'
  const isAbove = now.median - before.highest > allowed
  const isBelow = before.lowest - now.median > allowed
  if (!isAbove && !isBelow) return 'same'
  return isAbove === (better === 'higher') ? 'better' : 'worse'
}
