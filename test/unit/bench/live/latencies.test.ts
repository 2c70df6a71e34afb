import { describe, expect, it } from 'vitest'
import { latenciesOf, latencyFigures } from '../../../../src/bench/live/latencies.ts'

/** A message every 10 ms from 1000 on; even numbers in partition 0, odd ones in 1. */
const numbers = [Uint32Array.of(0, 2, 4), Uint32Array.of(1, 3)]
const schedule = { startAtMs: 1000, ratePerSecond: 100, skipped: 0 }

describe('latencies', () => {
  it('count from when a message was due to the first sight of a position behind it', () => {
    const sightings = [
      { partition: 0, nextOffset: 0, atMs: 990 },
      { partition: 0, nextOffset: 2, atMs: 1050 },
      { partition: 1, nextOffset: 1, atMs: 1060 },
      { partition: 1, nextOffset: 2, atMs: 1070 },
      { partition: 0, nextOffset: 3, atMs: 1100 },
    ]
    // Number 0: 50, 2: 30, 1: 50, 3: 40, 4: 60.
    expect([...latenciesOf(numbers, sightings, schedule)]).toEqual([30, 40, 50, 50, 60])
  })

  it('of a pause are those of all that was due meanwhile, not of one message', () => {
    const sightings = [
      { partition: 0, nextOffset: 3, atMs: 2000 },
      { partition: 1, nextOffset: 2, atMs: 2000 },
    ]
    expect([...latenciesOf(numbers, sightings, schedule)]).toEqual([960, 970, 980, 990, 1000])
  })

  it('leave the warm-up out', () => {
    const sightings = [
      { partition: 0, nextOffset: 3, atMs: 1100 },
      { partition: 1, nextOffset: 2, atMs: 1100 },
    ]
    expect([...latenciesOf(numbers, sightings, { ...schedule, skipped: 3 })]).toEqual([60, 70])
  })

  it('of what was never seen are missing', () => {
    expect(latenciesOf(numbers, [{ partition: 1, nextOffset: 1, atMs: 1100 }], schedule)).toHaveLength(1)
  })
})

it('figures are exact percentiles', () => {
  const sorted = Float64Array.from({ length: 1000 }, (_, i) => i + 1)
  expect(latencyFigures(sorted)).toEqual({ count: 1000, p50: 500, p99: 990, p999: 999, max: 1000 })
})
