import { describe, expect, it } from 'vitest'
import {
  anyOpenSinceMs,
  openSinceMs,
  parseTradingHours,
  tradingHoursProblem,
} from '../../../src/config/trading-hours.ts'

/** Since when a symbol's market is open at an instant: an instant, `always` or `closed`. */
function openSince(text: string, instant: string, symbol = 'AAPL'): string {
  const sinceMs = openSinceMs(parseTradingHours(text), symbol, Date.parse(instant))
  if (sinceMs === undefined) return 'closed'
  return Number.isFinite(sinceMs) ? new Date(sinceMs).toISOString() : 'always'
}

const newYork = '*=America/New_York Mon-Fri 09:30-16:00 !2026-12-25'
const tokyo = '*=Asia/Tokyo Mon-Fri 09:00-11:30 12:30-15:30'
const futures = '*=America/Chicago Sun-Thu 17:00-16:00'

describe.each([
  ['before the opening', newYork, '2026-02-17T14:29:59Z', 'closed'],
  ['at the opening', newYork, '2026-02-17T14:30:00Z', '2026-02-17T14:30:00.000Z'],
  ['before the close', newYork, '2026-02-17T20:59:59Z', '2026-02-17T14:30:00.000Z'],
  ['at the close', newYork, '2026-02-17T21:00:00Z', 'closed'],
  ['on a Saturday', newYork, '2026-02-14T15:00:00Z', 'closed'],
  ['on a holiday', newYork, '2026-12-25T15:00:00Z', 'closed'],
  ['the day after the holiday’s eve', newYork, '2026-12-24T15:00:00Z', '2026-12-24T14:30:00.000Z'],
  ['before the clocks go forward (Fri, EST)', newYork, '2026-03-06T14:30:00Z', '2026-03-06T14:30:00.000Z'],
  ['after the clocks went forward (Mon, EDT)', newYork, '2026-03-09T13:30:00Z', '2026-03-09T13:30:00.000Z'],
  ['an hour early after it', newYork, '2026-03-09T13:29:00Z', 'closed'],
  ['before the clocks go back (Fri, EDT)', newYork, '2026-10-30T13:30:00Z', '2026-10-30T13:30:00.000Z'],
  ['after the clocks went back (Mon, EST)', newYork, '2026-11-02T13:30:00Z', 'closed'],
  ['after the clocks went back, an hour later', newYork, '2026-11-02T14:30:00Z', '2026-11-02T14:30:00.000Z'],
  ['the morning of two sessions', tokyo, '2026-02-17T01:00:00Z', '2026-02-17T00:00:00.000Z'],
  ['lunch', tokyo, '2026-02-17T03:00:00Z', 'closed'],
  ['the afternoon', tokyo, '2026-02-17T04:00:00Z', '2026-02-17T03:30:00.000Z'],
  ['Sunday in UTC, Monday in Tokyo', tokyo, '2026-02-16T00:30:00Z', '2026-02-16T00:00:00.000Z'],
  ['a session past midnight, in the evening', futures, '2026-02-17T23:30:00Z', '2026-02-17T23:00:00.000Z'],
  ['the same, past midnight', futures, '2026-02-18T20:00:00Z', '2026-02-17T23:00:00.000Z'],
  ['its daily pause', futures, '2026-02-18T22:30:00Z', 'closed'],
  ['its end on a Friday', futures, '2026-02-20T21:59:59Z', '2026-02-19T23:00:00.000Z'],
  ['its Friday evening', futures, '2026-02-20T23:30:00Z', 'closed'],
  [
    'through the night in which the clocks go forward',
    '*=America/New_York Sat 22:00-06:00',
    '2026-03-08T09:59:00Z',
    '2026-03-08T03:00:00.000Z',
  ],
  ['to its end that night', '*=America/New_York Sat 22:00-06:00', '2026-03-08T10:00:00Z', 'closed'],
  [
    'a time that the clocks skip',
    '*=America/New_York Sun 02:30-05:00',
    '2026-03-08T07:30:00Z',
    '2026-03-08T07:30:00.000Z',
  ],
  ['a whole day', '*=UTC Mon 00:00-24:00', '2026-02-16T23:59:59Z', '2026-02-16T00:00:00.000Z'],
  ['after a whole day', '*=UTC Mon 00:00-24:00', '2026-02-17T00:00:00Z', 'closed'],
  ['an early close on Fridays', '*=UTC Mon-Thu 09:00-17:00 Fri 09:00-13:00', '2026-02-20T14:00:00Z', 'closed'],
  ['days that are listed', '*=UTC Mon Wed 09:00-17:00', '2026-02-18T10:00:00Z', '2026-02-18T09:00:00.000Z'],
  ['the day between them', '*=UTC Mon Wed 09:00-17:00', '2026-02-17T10:00:00Z', 'closed'],
  ['always', '*=always', '2026-02-14T03:00:00Z', 'always'],
])('%s', (_what, text, instant, expected) => {
  it(`${instant} is ${expected}`, () => {
    expect(openSince(text, instant)).toBe(expected)
  })
})

describe('patterns', () => {
  const text = `BTC/*=always,EURUSD=X=UTC Sun-Fri 22:00-22:00,*.L=Europe/London Mon-Fri 08:00-16:30, US*=America/New_York Mon-Fri 09:30-16:00`
  const saturday = '2026-02-14T15:00:00Z'

  it.each([
    ['BTC/USDT', 'always'],
    ['VOD.L', 'closed'],
    ['USO', 'closed'],
    ['EURUSD=X', '2026-02-13T22:00:00.000Z'],
    ['OTHER', 'always'],
  ])('%s: %s', (symbol, expected) => {
    expect(openSince(text, saturday, symbol)).toBe(expected)
  })

  it('of several symbols the one that has been open longest counts', () => {
    const hours = parseTradingHours(text)
    const at = Date.parse(saturday)
    expect(anyOpenSinceMs(hours, ['VOD.L', 'USO'], at)).toBeUndefined()
    expect(anyOpenSinceMs(hours, ['VOD.L', 'BTC/USDT'], at)).toBe(Number.NEGATIVE_INFINITY)
    expect(anyOpenSinceMs(hours, ['VOD.L', 'EURUSD=X'], at)).toBe(Date.parse('2026-02-13T22:00:00Z'))
  })

  it('without symbols all markets count', () => {
    const monday = Date.parse('2026-02-16T10:00:00Z')
    expect(anyOpenSinceMs(parseTradingHours('*.L=Europe/London Mon-Fri 08:00-16:30'), [], monday)).toBe(
      Date.parse('2026-02-16T08:00:00Z'),
    )
    const sunday = Date.parse('2026-02-15T10:00:00Z')
    expect(anyOpenSinceMs(parseTradingHours('*.L=Europe/London Mon-Fri 08:00-16:30'), [], sunday)).toBeUndefined()
  })
})

it.each([
  ['', /PATTERN=ZONE/],
  ['AAPL', /PATTERN=ZONE/],
  ['*=Mars/Olympus Mon 09:00-10:00', /'Mars\/Olympus' is no time zone/],
  ['*=UTC', /lacks a session/],
  ['*=UTC Mon-Fri', /lacks a session/],
  ['*=UTC 09:00-10:00', /'09:00-10:00' is neither/],
  ['*=UTC Mon-Fri 9-10', /'9-10' is neither/],
  ['*=UTC Mon-Fri 09:60-10:00', /'09:60-10:00' is neither/],
  ['*=UTC Mon-Fri 09:00-24:01', /'09:00-24:01' is neither/],
  ['*=UTC Mon-Freitag 09:00-10:00', /'Mon-Freitag' is neither/],
  ['*=UTC Mon 09:00-10:00 !2026-1-1', /'!2026-1-1' is neither/],
  ['*=always Mon 09:00-10:00', /'always' is no time zone/],
])('%j is refused', (text, why) => {
  expect(tradingHoursProblem(text)).toMatch(why)
})
