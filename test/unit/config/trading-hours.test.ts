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
const earlyNewYork = '*=America/New_York Mon-Fri 09:30-16:00 !2026-11-26 !2026-11-27@13:00'
// In New York the clocks go from 02:00 EST (07:00Z) to 03:00 EDT on 2026-03-08, and from 02:00 EDT (06:00Z) to 01:00 EST on
// 2026-11-01; in London from 01:00 GMT (01:00Z) on 2026-03-29, and from 02:00 BST (01:00Z) to 01:00 GMT on 2026-10-25.
const insideTwice = '*=America/New_York Sun 01:30-05:00'
const endsInTwice = '*=America/New_York Sun 00:00-01:30'

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
  ['before a time that is shown twice', insideTwice, '2026-11-01T05:29:59Z', 'closed'],
  ['a time that is shown twice: the first', insideTwice, '2026-11-01T05:30:00Z', '2026-11-01T05:30:00.000Z'],
  ['the same time, an hour later', insideTwice, '2026-11-01T06:45:00Z', '2026-11-01T05:30:00.000Z'],
  ['to its end, by the new offset', insideTwice, '2026-11-01T09:59:59Z', '2026-11-01T05:30:00.000Z'],
  ['at its end', insideTwice, '2026-11-01T10:00:00Z', 'closed'],
  ['an end that is shown twice, before the first', endsInTwice, '2026-11-01T05:29:59Z', '2026-11-01T04:00:00.000Z'],
  ['an end that is shown twice: the first', endsInTwice, '2026-11-01T05:30:00Z', 'closed'],
  ['before its second', endsInTwice, '2026-11-01T06:15:00Z', 'closed'],
  ['both hours', '*=America/New_York Sun 01:00-02:00', '2026-11-01T06:59:59Z', '2026-11-01T05:00:00.000Z'],
  ['after both hours', '*=America/New_York Sun 01:00-02:00', '2026-11-01T07:00:00Z', 'closed'],
  [
    'through the night in which the clocks go back',
    '*=America/New_York Sat 22:00-06:00',
    '2026-11-01T10:59:59Z',
    '2026-11-01T02:00:00.000Z',
  ],
  ['in London, twice', '*=Europe/London Sun 01:30-03:00', '2026-10-25T00:30:00Z', '2026-10-25T00:30:00.000Z'],
  ['in London, before', '*=Europe/London Sun 01:30-03:00', '2026-10-25T00:29:59Z', 'closed'],
  ['in London, skipped', '*=Europe/London Sun 01:30-05:00', '2026-03-29T01:30:00Z', '2026-03-29T01:30:00.000Z'],
  ['in London, before the skipped time', '*=Europe/London Sun 01:30-05:00', '2026-03-29T01:29:59Z', 'closed'],
  [
    'before an end that is skipped',
    '*=America/New_York Sun 00:00-02:30',
    '2026-03-08T07:29:59Z',
    '2026-03-08T05:00:00.000Z',
  ],
  ['an end that is skipped', '*=America/New_York Sun 00:00-02:30', '2026-03-08T07:30:00Z', 'closed'],
  ['before an early close', earlyNewYork, '2026-11-27T17:59:59Z', '2026-11-27T14:30:00.000Z'],
  ['at an early close', earlyNewYork, '2026-11-27T18:00:00Z', 'closed'],
  ['the holiday before it', earlyNewYork, '2026-11-26T15:00:00Z', 'closed'],
  ['the Monday after it', earlyNewYork, '2026-11-30T20:59:59Z', '2026-11-30T14:30:00.000Z'],
  [
    'an early close before the opening',
    '*=UTC Mon-Fri 09:30-16:00 !2026-11-27@09:00',
    '2026-11-27T10:00:00Z',
    'closed',
  ],
  ['the morning of a half day', `${tokyo} !2026-12-30@11:30`, '2026-12-30T02:29:59Z', '2026-12-30T00:00:00.000Z'],
  ['the afternoon of a half day', `${tokyo} !2026-12-30@11:30`, '2026-12-30T04:00:00Z', 'closed'],
  [
    'before the early close of a session of the day before',
    `${futures} !2026-11-27@12:15`,
    '2026-11-27T18:14:59Z',
    '2026-11-26T23:00:00.000Z',
  ],
  ['the early close of a session of the day before', `${futures} !2026-11-27@12:15`, '2026-11-27T18:15:00Z', 'closed'],
  ['the pause after an early close', `${futures} !2026-11-26@12:00`, '2026-11-26T18:00:00Z', 'closed'],
  [
    'the evening session after an early close',
    `${futures} !2026-11-26@12:00`,
    '2026-11-26T23:30:00Z',
    '2026-11-26T23:00:00.000Z',
  ],
  ['a list of days', '*=UTC Mon,Tue 09:00-17:00', '2026-02-17T10:00:00Z', '2026-02-17T09:00:00.000Z'],
  ['a day that a list lacks', '*=UTC Mon,Tue 09:00-17:00', '2026-02-18T10:00:00Z', 'closed'],
  [
    'a list with ranges and spaces',
    '*=UTC Mon, Wed-Fri, Sun 09:00-17:00',
    '2026-02-19T10:00:00Z',
    '2026-02-19T09:00:00.000Z',
  ],
  [
    'a list before another entry',
    'X=UTC Mon,Tue 09:00-17:00,*=UTC Wed,Fri 09:00-17:00',
    '2026-02-18T10:00:00Z',
    '2026-02-18T09:00:00.000Z',
  ],
  ['a list of holidays', '*=UTC Mon-Fri 09:00-17:00 !2026-02-17,!2026-02-18', '2026-02-18T10:00:00Z', 'closed'],
  ['a leap day', '*=UTC Thu 09:00-17:00 !2024-02-29', '2024-02-29T10:00:00Z', 'closed'],
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
  ['*=UTC Mon-Freitag 09:00-10:00', /'Freitag' is no weekday/],
  ['*=UTC Mon 09:00-10:00 !2026-1-1', /'2026-1-1' is no day of the calendar/],
  ['*=UTC Mon 09:00-10:00 !2024-13-45', /'2024-13-45' is no day of the calendar/],
  ['*=UTC Mon 09:00-10:00 !2026-02-29', /'2026-02-29' is no day of the calendar/],
  ['*=UTC Mon 09:00-10:00 !2026-11-27@25:00', /'25:00' is no time from 00:00 to 24:00/],
  ['*=UTC Mon 09:00-10:00 !2026-11-27@1pm', /'1pm' is no time/],
  ['*=UTC Mon 09:00-10:00 !2026-11-27@10:00@11:00', /is no time/],
  ['*=UTC Mon-Fri 09:00-25:00', /'09:00-25:00' is neither days nor a session, HH:MM-HH:MM from 00:00 to 24:00/],
  ['*=UTC Mon,Tus 09:00-10:00', /'Tus' is no weekday, did you mean '(Tue|Sun)'\?/],
  ['*=UTC Monday 09:00-10:00', /'Monday' is no weekday \(Sun, Mon, Tue, Wed, Thu, Fri, Sat\)/],
  ['*=America/New_Yrok Mon 09:00-10:00', /'America\/New_Yrok' is no time zone, did you mean 'America\/New_York'\?/],
  ['*=always Mon 09:00-10:00', /'always' is no time zone/],
])('%j is refused', (text, why) => {
  expect(tradingHoursProblem(text)).toMatch(why)
})
