import type { Gap } from '../store/gaps.ts'
import type { CountedPosition } from '../store/verify-snapshot.ts'

/** Offsets of a partition whose messages are in the rows, and that the log no longer holds. */
export interface Hole {
  readonly partition: number
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly why: 'deleted' | 'cut'
  /** None of its messages is later than this; microseconds. */
  readonly latestUs: number
}

/** A broker's clock that was set back may have let a timestamp fall behind the one before it. */
const clockSlackUs = 600e6

/**
 * The hole between two offsets, without what was given up by `accept-gap`: that is in no row.
 *
 * @param appendedAtMs - When the broker appended the first message behind the hole; undefined where that is not known.
 */
export function deletedHole(
  position: CountedPosition,
  gaps: readonly Gap[],
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

export function cutHole({ partition, fromOffset, toOffset, toEventUs }: Gap): Hole {
  return { partition, from: fromOffset, to: toOffset, why: 'cut', latestUs: toEventUs }
}

/** The end of the log before the position: it was cut, and nobody has accepted that yet. */
export function unacceptedCut({ partition, nextOffset, watermarkUs }: CountedPosition, logEnd: number): Hole {
  return { partition, from: logEnd, to: nextOffset, why: 'cut', latestUs: watermarkUs }
}
