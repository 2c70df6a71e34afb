import { describe, expect, it } from 'vitest'
import { Pace } from '../../../../src/feed/replay/pace.ts'

const recordedUs = 1_381_132_800_000_000
const startMs = 1_771_079_400_000

/** A pace that has sent its first line at the start. */
function paceAt(speed: number, isShifted = false): Pace {
  const pace = new Pace({ speed, isShifted })
  expect(pace.waitMs(recordedUs, startMs)).toBe(0)
  return pace
}

describe('a replay as recorded', () => {
  it('keeps the time between lines', () => {
    const pace = paceAt(1)
    expect(pace.waitMs(recordedUs + 250_000, startMs)).toBe(250)
    expect(pace.waitMs(recordedUs + 250_000, startMs + 100)).toBe(150)
    expect(pace.waitMs(recordedUs + 250_000, startMs + 250)).toBe(0)
  })

  it('sends lines out of order when it is their turn', () => {
    const pace = paceAt(1)
    pace.waitMs(recordedUs + 60_000_000, startMs + 60_000)
    expect(pace.waitMs(recordedUs - 3_600_000_000, startMs + 60_000)).toBe(0)
    expect(pace.waitMs(recordedUs + 61_000_000, startMs + 60_000)).toBe(1000)
  })

  it('catches up on one second at most after it was held up', () => {
    const pace = paceAt(1)
    const laterMs = startMs + 600_000
    expect(pace.waitMs(recordedUs + 1_000_000, laterMs)).toBe(0)
    expect(pace.waitMs(recordedUs + 1_900_000, laterMs)).toBe(0)
    expect(pace.waitMs(recordedUs + 3_000_000, laterMs)).toBe(1000)
  })
})

describe('a faster replay', () => {
  it('shortens the time between lines', () => {
    const pace = paceAt(10)
    expect(pace.waitMs(recordedUs + 60_000_000, startMs)).toBe(6000)
  })

  it('never waits at the highest speed', () => {
    const pace = paceAt(Number.POSITIVE_INFINITY)
    expect(pace.isPaced).toBe(false)
    expect(pace.waitMs(recordedUs + 1e15, startMs)).toBe(0)
  })
})

describe('a time shifted to now', () => {
  it('is when the line was due', () => {
    const pace = paceAt(10, true)
    expect(pace.shiftedUs(recordedUs, startMs)).toBe(startMs * 1000)
    expect(pace.shiftedUs(recordedUs + 1230, startMs)).toBe(startMs * 1000 + 123)
    expect(pace.shiftedUs(recordedUs - 5_000_000, startMs + 900)).toBe((startMs - 500) * 1000)
  })

  it('is now at the highest speed', () => {
    expect(paceAt(Number.POSITIVE_INFINITY, true).shiftedUs(recordedUs, startMs + 5)).toBe((startMs + 5) * 1000)
  })

  it('moves with a replay that was held up', () => {
    const pace = paceAt(1, true)
    const laterMs = startMs + 600_000
    pace.waitMs(recordedUs + 1_000_000, laterMs)
    expect(pace.shiftedUs(recordedUs + 1_000_000, laterMs)).toBe((laterMs - 1000) * 1000)
  })

  it('is none where recorded times are kept', () => {
    expect(paceAt(1).shiftedUs(recordedUs, startMs)).toBeNaN()
  })
})
