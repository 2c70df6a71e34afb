import type { Series } from './series.ts'
import { type Spread, spreadOf } from './statistics.ts'

export interface Comparison {
  readonly name: string
  readonly unit: string
  readonly before: Spread
  readonly now: Spread
  /** How much worse than the worst run of before the median of now may be. */
  readonly allowed: number
  readonly verdict: 'better' | 'same' | 'worse' | 'not measured'
}

/**
 * Holds a report against an earlier one. A series is *worse* when its median now lies beyond the worst run of before by
 * more than the noise: the largest of its floor ({@link Series.noise}), the spread of the runs before, and that of the
 * runs now. It is *better* by the same rule turned round. What was measured before and is not now is told, and fails
 * nothing by itself: a program of the system that is away is no regression.
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
  // Of a series that was not measured, NaN would swallow the rest.
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
