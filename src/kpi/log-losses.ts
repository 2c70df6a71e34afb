import { windowStartUs } from './window.ts'

// What the log lost after it was read, and which windows it may therefore not hold whole. `verify` leaves these out of
// its comparison and `rebuild` leaves their rows alone, by the same rule.

/** Offsets of a partition whose messages are in the rows, and that the log no longer holds. */
export interface Hole {
  readonly partition: number
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly why: 'deleted' | 'compacted' | 'cut'
  /** None of its messages is later than this; microseconds. */
  readonly latestUs: number
}

/** A gap that `accept-gap` recorded. */
export interface LossGap {
  readonly partition: number
  readonly kind: 'deleted' | 'cut'
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
  readonly fromEventUs: number
  readonly toEventUs: number
}

export interface LossPosition {
  readonly partition: number
  readonly nextOffset: number
  readonly watermarkUs: number
}

/** Why a window may differ from the log although no number is wrong. */
export interface LogLosses {
  readonly holes: readonly Hole[]
  readonly gaps: readonly LossGap[]
}

/** A broker's clock that was set back may have let a timestamp fall behind the one before it. */
const clockSlackUs = 600e6

/**
 * The hole between two offsets, without what was given up by `accept-gap`: that is in no row.
 *
 * @param appendedAtMs - When the broker appended the first message behind the hole; undefined where that is not known.
 */
export function deletedHole(
  position: LossPosition,
  gaps: readonly LossGap[],
  range: { from: number; to: number },
  appendedAtMs: number | undefined,
  maxFutureSeconds: number,
): Hole | undefined {
  const { partition, watermarkUs } = position
  let { from } = range
  for (const gap of gaps) {
    if (gap.kind === 'deleted' && gap.fromOffset <= from && from < gap.toOffset) from = gap.toOffset
  }
  if (from >= range.to) return undefined
  const appendedUs =
    appendedAtMs === undefined
      ? Number.POSITIVE_INFINITY
      : (appendedAtMs + maxFutureSeconds * 1000) * 1000 + clockSlackUs
  return { partition, from, to: range.to, why: 'deleted', latestUs: Math.min(watermarkUs, appendedUs) }
}

export function cutHole({ partition, fromOffset, toOffset, toEventUs }: LossGap): Hole {
  return { partition, from: fromOffset, to: toOffset, why: 'cut', latestUs: toEventUs }
}

/**
 * With one more range of offsets whose messages were compacted away. There may be millions: they are one hole from the
 * first to the last of them.
 */
export function withCompacted(holes: readonly Hole[], hole: Hole): Hole[] {
  const known = holes.find(({ why }) => why === 'compacted')
  const merged: Hole = {
    partition: hole.partition,
    from: Math.min(hole.from, known?.from ?? hole.from),
    to: Math.max(hole.to, known?.to ?? hole.to),
    why: 'compacted',
    latestUs: Math.max(hole.latestUs, known?.latestUs ?? -1),
  }
  return [...holes.filter((other) => other !== known), merged]
}

/** The end of the log before the position: it was cut, and no operator has accepted that yet. */
export function unacceptedCut({ partition, nextOffset, watermarkUs }: LossPosition, logEnd: number): Hole {
  return { partition, from: logEnd, to: nextOffset, why: 'cut', latestUs: watermarkUs }
}

/**
 * Whether the log may not hold the window whole. Messages in a hole are in the rows and can only make a row larger than
 * what is recomputed. Where the log was cut, other messages took offsets that had been read, and were not read: around
 * that time, which is recorded with the gap, a window may differ in either direction.
 */
export function isTouched(
  { holes, gaps }: LogLosses,
  startUs: number,
  windowSeconds: number,
  isRowLarger: boolean,
): boolean {
  if (isRowLarger && holes.some(({ latestUs }) => startUs <= latestUs)) return true
  const endUs = startUs + windowSeconds * 1e6
  return gaps.some(({ kind, fromEventUs, toEventUs }) => kind === 'cut' && startUs <= toEventUs && endUs > fromEventUs)
}

/**
 * The start of the last window that messages of a hole are likely to be in: as long as not all of the first ones behind
 * it were late, none of its messages is beyond their latest window and the lateness (docs/decisions/0006).
 *
 * @param afterUs - Timestamps of the first accepted messages behind the hole.
 */
export function likelyLatestUs(
  hole: Hole,
  afterUs: readonly number[],
  { windowSeconds, allowedLatenessSeconds }: { windowSeconds: number; allowedLatenessSeconds: number },
): number {
  if (afterUs.length === 0) return hole.latestUs
  const windowUs = windowSeconds * 1e6
  const endUs = windowStartUs(Math.max(...afterUs), windowUs) + windowUs
  return Math.min(hole.latestUs, endUs + allowedLatenessSeconds * 1e6)
}
