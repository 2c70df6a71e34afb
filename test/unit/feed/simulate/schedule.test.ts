import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSchedule, type Schedule } from '../../../../src/feed/simulate/schedule.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

const startMs = 1_771_079_400_000
const never = Number.POSITIVE_INFINITY

function scheduleAt(
  ratePerSecond: number,
  pauses: { every: number; for: number } = { every: never, for: 0 },
): Schedule {
  return createSchedule({ ratePerSecond, pauseEveryMs: pauses.every, pauseForMs: pauses.for }, startMs)
}

/** Takes what is due, asleep in between as told, until a time. @returns When each was due, after the start. */
function run(schedule: Schedule, untilMs: number, most = 100_000): number[] {
  const due: number[] = []
  const endMs = startMs + untilMs
  for (let nowMs = startMs; ; nowMs = Math.min(endMs, nowMs + schedule.sleepMs(nowMs))) {
    for (let count = schedule.dueCount(nowMs, most); count > 0; count--) due.push(schedule.take(nowMs) - startMs)
    if (nowMs === endMs) return due
  }
}

describe('a schedule at a rate', () => {
  it.each([0.1, 0.5, 3, 50, 1000, 12_345, 500_000])('sends evenly: %d a second', (rate) => {
    const seconds = Math.max(2, Math.min(100, 30 / rate))
    const due = run(scheduleAt(rate), seconds * 1000)
    expect(Math.abs(due.length - (rate * seconds + 1))).toBeLessThanOrEqual(Math.max(1, rate * 0.01))
    due.forEach((dueMs, n) => {
      if (Math.abs(dueMs - (n * 1000) / rate) > 0.01) expect.fail(`message ${n} was due at ${dueMs}`)
    })
  })

  it('sends the first at once, and sleeps until the next is due', () => {
    const schedule = scheduleAt(0.1)
    expect(schedule.dueCount(startMs, 10)).toBe(1)
    schedule.take(startMs)
    expect(schedule.dueCount(startMs, 10)).toBe(0)
    expect(schedule.sleepMs(startMs)).toBe(10_000)
  })

  it('gives no more than asked for', () => {
    expect(scheduleAt(1000).dueCount(startMs + 500, 100)).toBe(100)
  })

  it('falls silent for its pauses, and sends as many outside them', () => {
    const due = run(scheduleAt(100, { every: 2000, for: 3000 }), 20_000)
    const inPeriod = due.map((dueMs) => dueMs % 5000)
    expect(Math.max(...inPeriod)).toBeLessThan(2000)
    expect(due.filter((dueMs) => dueMs < 15_000)).toHaveLength(600)
  })

  it('counts what is due as it hands it out, whatever the rate and the pauses', () => {
    const rates = fc.double({ min: 0.1, max: 2000, noNaN: true })
    const pauses = fc.option(
      fc.record({ every: fc.integer({ min: 1, max: 5000 }), for: fc.integer({ min: 1, max: 5000 }) }),
    )
    fc.assert(
      fc.property(rates, pauses, fc.integer({ min: 0, max: 5000 }), (rate, pausing, untilMs) => {
        const schedule = pausing ? scheduleAt(rate, pausing) : scheduleAt(rate)
        const due = run(schedule, untilMs)
        const isRising = due.every((dueMs, i) => i === 0 || dueMs > (due[i - 1] ?? 0))
        // At the last look all was taken, and nothing before its time.
        expect(isRising).toBe(true)
        expect(schedule.dueCount(startMs + untilMs, 1e6)).toBe(0)
        expect(due.every((dueMs) => dueMs <= untilMs + 1)).toBe(true)
      }),
      propertyRuns,
    )
  })

  it('catches up on one second at most after it was held up', () => {
    const schedule = scheduleAt(100)
    run(schedule, 1000)
    const later = startMs + 3_600_000
    const count = schedule.dueCount(later, 1e6)
    expect(count).toBe(101)
    expect(schedule.take(later)).toBeCloseTo(later - 1000, 3)
  })

  it('goes on when the clock is set back', () => {
    const schedule = scheduleAt(100)
    run(schedule, 10_000)
    const earlier = startMs - 3_600_000
    schedule.dueCount(earlier, 1)
    expect(schedule.sleepMs(earlier)).toBeLessThanOrEqual(1011)
    expect(schedule.dueCount(earlier + 2000, 1e6)).toBeGreaterThan(50)
  })
})

describe('a schedule without a rate', () => {
  it('has as many due as asked for, now', () => {
    const schedule = scheduleAt(never)
    expect(schedule.dueCount(startMs + 5, 4096)).toBe(4096)
    expect(schedule.take(startMs + 5)).toBe(startMs + 5)
  })

  it('has its pauses too', () => {
    const schedule = scheduleAt(never, { every: 100, for: 50 })
    expect(schedule.dueCount(startMs + 99, 10)).toBe(10)
    expect(schedule.dueCount(startMs + 100, 10)).toBe(0)
    expect(schedule.sleepMs(startMs + 100)).toBe(50)
    expect(schedule.dueCount(startMs + 150, 10)).toBe(10)
  })
})
