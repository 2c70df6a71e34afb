import { windowStartUs } from './window.ts'

/** What is known of the time around messages that were never read. Instants in microseconds since the epoch. */
export interface GapDependencies {
  /** The highest accepted timestamp before the gap; −1 for none. */
  readonly watermarkUs: number
  /** Timestamps of the first messages after the gap; empty where there is none yet. */
  readonly afterUs: readonly number[]
  /** No message of the gap can be later than this: its last possible Kafka timestamp and MAX_FUTURE_SECONDS. */
  readonly latestUs: number
  readonly windowSeconds: number
  readonly allowedLatenessSeconds: number
}

/**
 * The event times between which the windows lie that unread messages may belong to: those with an end after `fromUs`
 * and a start up to `toUs`.
 *
 * Both follow from what it means to be late (docs/decisions/0006): none of the windows around the gap is missed as long
 * as neither a lost message nor the first ones after the gap came later than ALLOWED_LATENESS_SECONDS allows.
 */
export function gapBounds(around: GapDependencies): { fromUs: number; toUs: number } {
  const latenessUs = around.allowedLatenessSeconds * 1e6
  const windowUs = around.windowSeconds * 1e6
  // A lost message was not late: its window ends no earlier than the watermark less the lateness.
  const fromUs = around.watermarkUs < 0 ? 0 : Math.max(0, around.watermarkUs - latenessUs - 1)
  // The first ones after the gap were not late either: whatever came before them is at most so far ahead.
  const ends = around.afterUs.map((us) => windowStartUs(us, windowUs) + windowUs)
  const aheadUs = ends.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...ends) + latenessUs
  return { fromUs, toUs: Math.max(fromUs, Math.min(aheadUs, around.latestUs)) }
}
