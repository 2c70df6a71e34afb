import { describe, expect, it } from 'vitest'
import type { FeedFigures } from '../../../src/feed/feed.ts'
import { RateMeter, reportLine } from '../../../src/feed/feed-report.ts'

const figures: FeedFigures = {
  state: 'sending',
  messages: 1_234_567,
  bytes: 163_456_789,
  batches: 640,
  retries: 2,
  rejected: 3,
  waiting: 0,
  elapsedSeconds: 61.04,
  endedAtMs: null,
  lastMessageAtMs: 1_771_079_400_000,
  unansweredMs: 0,
}

describe('the report of a feed', () => {
  it('is one line for people', () => {
    expect(reportLine(figures, 20_225.4)).toBe(
      'sent 1,234,567 messages (163.5 MB) in 61.0 s, 20,225/s, 3 rejected, 2 retries',
    )
  })

  it('says what waits, and small amounts of bytes', () => {
    expect(reportLine({ ...figures, bytes: 999, waiting: 5000 }, 0)).toBe(
      'sent 1,234,567 messages (999 B) in 61.0 s, 0/s, 3 rejected, 2 retries, 5,000 waiting',
    )
  })
})

describe('the rate', () => {
  it('is that since the look before', () => {
    const meter = new RateMeter()
    expect(meter.perSecond({ ...figures, messages: 100, elapsedSeconds: 10 })).toBe(10)
    expect(meter.perSecond({ ...figures, messages: 400, elapsedSeconds: 20 })).toBe(30)
    expect(meter.perSecond({ ...figures, messages: 400, elapsedSeconds: 20 })).toBe(0)
  })
})
