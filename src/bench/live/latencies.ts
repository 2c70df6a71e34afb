import { percentile } from '../report/statistics.ts'
import type { Sighting } from './visible-positions.ts'

/** Milliseconds from when a message was due to when its row could be read. */
export interface LatencyFigures {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** When messages were due: the n-th, from 0, at `startAtMs + n / ratePerSecond`. */
export interface DueTimes {
  readonly startAtMs: number
  readonly ratePerSecond: number
  /** The first messages, of the warm-up, do not count. */
  readonly skipped: number
}

/**
 * Joins what was due with what was seen. Against the schedule, not against the sending: a sender or a broker that is held
 * up delays everything behind it, and that counts.
 *
 * @param numbers - By partition and offset, the number of the message there.
 * @param sightings - In order of time.
 */
export function latenciesOf(
  numbers: readonly Uint32Array[],
  sightings: readonly Sighting[],
  { startAtMs, ratePerSecond, skipped }: DueTimes,
): Float64Array {
  const next = new Uint32Array(numbers.length)
  const latencies = new Float64Array(numbers.reduce((sum, { length }) => sum + length, 0))
  let count = 0
  for (const { partition, nextOffset, atMs } of sightings) {
    const ofPartition = numbers[partition]
    if (!ofPartition) continue
    let offset = next[partition] ?? 0
    for (; offset < nextOffset && offset < ofPartition.length; offset++) {
      const number = ofPartition[offset] ?? 0
      if (number >= skipped) latencies[count++] = atMs - (startAtMs + (number * 1000) / ratePerSecond)
    }
    next[partition] = offset
  }
  return latencies.slice(0, count).sort()
}

/** @param sorted - In ascending order. */
export function latencyFigures(sorted: Float64Array): LatencyFigures {
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: percentile(sorted, 1),
  }
}
