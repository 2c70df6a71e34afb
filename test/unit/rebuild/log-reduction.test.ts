import { describe, expect, it } from 'vitest'
import { LogReduction, type LogReductionOptions } from '../../../src/rebuild/log-reduction.ts'

const rules = { windowSeconds: 300, allowedLatenessSeconds: 120, maxFutureSeconds: 300, decimals: 8 }
const base: LogReductionOptions = {
  ...{ rules, rulesBefore: rules, filter: {}, maxPayloads: 1, keepsLetters: true, now: () => 1_000_000 },
}
const baseMs = 1_700_000_100_000
const record = (offset: number, timestampMs: number, symbol = 'A', appendedMs = baseMs) => ({
  offset,
  timestampMs: appendedMs,
  value: Buffer.from(`{"symbol":"${symbol}","timestamp":${timestampMs},"close":${offset},"volume":1}`),
})

describe('what the log comes to', () => {
  it('only windows of the range and symbols asked for', () => {
    const startUs = baseMs * 1000 - ((baseMs * 1000) % 300e6)
    const filter = { symbols: ['A'], fromUs: startUs, toUs: startUs + 300e6 }
    const reduction = new LogReduction({ ...base, filter })
    for (const [offset, [at, symbol]] of (
      [
        [baseMs, 'A'],
        [baseMs - 300_000, 'A'],
        [baseMs + 300_000, 'A'],
        [baseMs, 'B'],
        [baseMs + 1, 'A'],
      ] as const
    ).entries()) {
      expect(reduction.add(record(offset, at, symbol), 0, -1)).toMatchObject({ isAccepted: true, wasAccepted: true })
    }
    expect(reduction.takeRows()).toMatchObject([{ symbol: 'A', windowStartUs: startUs, n: 2 }])
    expect(reduction.takeLetters()).toEqual([])
  })

  it('a message that counts now and did not leaves a note to take its letter away', () => {
    const reduction = new LogReduction({ ...base, rules: { ...rules, maxFutureSeconds: 900 } })
    const at = baseMs + 600_000
    expect(reduction.add(record(3, at), 1, -1)).toEqual({
      isAccepted: true,
      wasAccepted: false,
      timestampUs: at * 1000,
    })
    expect(reduction.takeLetters()).toMatchObject([{ partition: 1, offset: 3, reason: null, wasRejected: true }])
    expect(reduction.takeRows()).toHaveLength(1)
    expect(reduction.earliestFlipUs).toBe(at * 1000)
  })

  it('one that counted and does not gets a letter, the first with their bytes', () => {
    const reduction = new LogReduction({ ...base, rules: { ...rules, maxFutureSeconds: 60 } })
    const at = baseMs + 120_000
    const verdict = { isAccepted: false, wasAccepted: true, timestampUs: at * 1000 }
    for (const offset of [0, 1]) expect(reduction.add(record(offset, at), 0, -1)).toEqual(verdict)
    const [first, second] = reduction.takeLetters()
    expect(first).toMatchObject({ reason: 'future_timestamp', wasRejected: false, timestampMs: baseMs })
    expect(first?.payload).toEqual(record(0, at).value)
    expect(second?.payload).toBe(null)
    expect(reduction.takeRows()).toEqual([])
  })

  it.each([
    ['a volume that is 0 after rounding, and below 0 with more digits', '1', '-1e-9', true],
    ['a close that is too large after rounding only', '999999999999999.999999995', '1', false],
  ])('with more digits the decision about %s is another', (_what, close, volume, wasAccepted) => {
    const reduction = new LogReduction({ ...base, rules: { ...rules, decimals: 12 } })
    const value = Buffer.from(`{"symbol":"A","timestamp":${baseMs},"close":${close},"volume":${volume}}`)
    const verdict = { isAccepted: !wasAccepted, wasAccepted, timestampUs: baseMs * 1000 }
    expect(reduction.add({ offset: 1, timestampMs: baseMs, value }, 0, -1)).toEqual(verdict)
    expect(reduction.earliestFlipUs).toBe(baseMs * 1000)
    expect(reduction.takeLetters()).toMatchObject([{ reason: wasAccepted ? 'negative_volume' : null }])
  })

  it('one that is rejected by both is a letter without bytes: the table has them', () => {
    const reduction = new LogReduction(base)
    for (const value of [null, Buffer.from('[]')]) {
      expect(reduction.add({ offset: 1, timestampMs: -1, value }, 0, -1)).toMatchObject({
        isAccepted: false,
        wasAccepted: false,
      })
    }
    const nothing = { wasRejected: true, payload: null, timestampMs: null }
    expect(reduction.takeLetters()).toMatchObject([
      { reason: 'empty', ...nothing },
      { reason: 'not_object', ...nothing },
    ])
    expect(reduction.earliestFlipUs).toBe(Number.POSITIVE_INFINITY)
  })

  it('a retried message is late when it was, whatever the watermark', () => {
    const reduction = new LogReduction(base)
    const message = { partition: 0, offset: 7, payload: record(7, baseMs).value, messageAtUs: baseMs * 1000 }
    expect(reduction.addRetried({ ...message, isLate: true })).toBe(true)
    expect(reduction.addRetried({ ...message, isLate: false, messageAtUs: null })).toBe(true)
    expect(reduction.takeRows()).toMatchObject([{ n: 2, lateCount: 1 }])
    expect(reduction.addRetried({ ...message, isLate: false, messageAtUs: (baseMs - 301_000) * 1000 })).toBe(false)
  })
})
