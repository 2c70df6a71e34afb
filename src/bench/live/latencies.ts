import { percentile } from '../report/statistics.ts'
import type { Sighting } from './visible-positions.ts'

/** Milliseconds from when a message was due until its row could be read. */
export interface LatencyFigures {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** When messages were due: message n, from 0, at `startAtMs + n / ratePerSecond`. */
export interface DueTimes {
  readonly startAtMs: number
  readonly ratePerSecond: number
  /** The first messages, during warm-up, are not counted. */
  readonly skipped: number
}

/**
 * Computes latencies from due times and sightings. They are relative to the schedule, not to when a message was sent:
 * a sender or a broker that is held up delays all following messages, and this delay must count.
 *
 * @param numbers - The number of the message, by partition and offset.
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
