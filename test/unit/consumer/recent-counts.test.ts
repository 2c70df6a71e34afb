import { expect, it } from 'vitest'
import { RecentMeter } from '../../../src/consumer/recent-counts.ts'

it('counts the last five minutes, and all of a shorter life', () => {
  const meter = new RecentMeter(0, 300_000)
  expect(meter.recent({ processed: 100, rejected: 1 }, 5000)).toEqual({ seconds: 5, processed: 100, rejected: 1 })
  for (let s = 10; s < 300; s += 5) meter.recent({ processed: s * 20, rejected: s }, s * 1000)
  expect(meter.recent({ processed: 6000, rejected: 300 }, 300_000)).toEqual({
    seconds: 300,
    processed: 6000,
    rejected: 300,
  })
  // What was counted before the window's beginning does not count any more.
  expect(meter.recent({ processed: 6000, rejected: 300 }, 400_000)).toEqual({
    seconds: 300,
    processed: 4000,
    rejected: 200,
  })
  expect(meter.recent({ processed: 6000, rejected: 300 }, 1_000_000)).toMatchObject({ processed: 0, rejected: 0 })
})

it('is asked more often without keeping more', () => {
  const meter = new RecentMeter(0, 300_000)
  for (let ms = 0; ms <= 600_000; ms += 100) meter.recent({ processed: ms, rejected: 0 }, ms)
  expect(meter.recent({ processed: 600_000, rejected: 0 }, 600_000)).toEqual({
    seconds: 300,
    processed: 300_000,
    rejected: 0,
  })
})
