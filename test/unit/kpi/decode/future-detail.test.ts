import { describe, expect, it } from 'vitest'
import { futureDetail } from '../../../../src/kpi/decode/future-detail.ts'

const at = Date.UTC(2026, 1, 14, 14, 30, 5, 250)
const minutes = 60_000
const hours = 3_600_000

describe.each([
  [
    'a record time in seconds',
    at * 1000,
    Math.floor(at / 1000),
    'message time 2026-02-14T14:30:05.250Z, record time 1970-01-21T11:57:59.405Z: the record time is wrong, it is in seconds instead of milliseconds',
  ],
  [
    'a message time in microseconds',
    at * 1e6,
    at,
    'message time +058093-04-09T05:27:30.000Z, record time 2026-02-14T14:30:05.250Z: the message time is wrong, it is in microseconds instead of milliseconds',
  ],
  [
    'a record time of 1970',
    at * 1000,
    0,
    'message time 2026-02-14T14:30:05.250Z, record time 1970-01-01T00:00:00.000Z: the record time is wrong',
  ],
  [
    'a message of the year 2099',
    Date.UTC(2099, 0) * 1000,
    at,
    'message time 2099-01-01T00:00:00.000Z, record time 2026-02-14T14:30:05.250Z: the message time is wrong',
  ],
  [
    'a time that no calendar has',
    9.9e19,
    at,
    'message time 99000000000000000 ms, record time 2026-02-14T14:30:05.250Z: the message time is wrong',
  ],
  [
    'five hours, less a second',
    (at + 5 * hours - 1000) * 1000,
    at,
    'message time 2026-02-14T19:30:04.250Z, record time 2026-02-14T14:30:05.250Z: the message time is wrong, perhaps a local time sent as UTC',
  ],
  [
    'five and a half hours',
    (at + 5.5 * hours) * 1000,
    at,
    'message time 2026-02-14T20:00:05.250Z, record time 2026-02-14T14:30:05.250Z: the message time is wrong, perhaps a local time sent as UTC',
  ],
  [
    'ten minutes',
    (at + 10 * minutes) * 1000,
    at,
    "message time 2026-02-14T14:40:05.250Z, record time 2026-02-14T14:30:05.250Z: the feed's clock is ahead, or Kafka's is behind",
  ],
  [
    'five days',
    (at + 120 * hours) * 1000,
    at,
    "message time 2026-02-19T14:30:05.250Z, record time 2026-02-14T14:30:05.250Z: the feed's clock is ahead, or Kafka's is behind",
  ],
])('%s', (_, eventUs, recordMs, expected) => {
  it('shows both times and which one is wrong', () => {
    expect(futureDetail(eventUs, recordMs)).toBe(expected)
  })

  it('fits what dead_letters promises', () => {
    expect(futureDetail(eventUs, recordMs)).toMatch(/^[\x20-\x7e]{1,199}$/)
  })
})
