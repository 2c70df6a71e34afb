import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimeZone } from '../../../../../src/feed/replay/time/time-zone.ts'
import { propertyRuns } from '../../../kpi/property-runs.ts'

const local = (text: string) => Date.parse(`${text}Z`) / 1000
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19)

describe('a local time', () => {
  it.each([
    ['America/New_York', '2024-01-15T09:30:00', '2024-01-15T14:30:00', 'once'],
    ['America/New_York', '2024-07-15T09:30:00', '2024-07-15T13:30:00', 'once'],
    // Clocks go forward at two, back at two.
    ['America/New_York', '2024-03-10T01:59:59', '2024-03-10T06:59:59', 'once'],
    ['America/New_York', '2024-03-10T02:30:00', '2024-03-10T06:30:00', 'never'],
    ['America/New_York', '2024-03-10T03:00:00', '2024-03-10T07:00:00', 'once'],
    ['America/New_York', '2024-11-03T00:59:59', '2024-11-03T04:59:59', 'once'],
    ['America/New_York', '2024-11-03T01:00:00', '2024-11-03T05:00:00', 'twice'],
    ['America/New_York', '2024-11-03T01:59:59', '2024-11-03T05:59:59', 'twice'],
    ['America/New_York', '2024-11-03T02:00:00', '2024-11-03T07:00:00', 'once'],
    ['Europe/Berlin', '2024-10-27T02:30:00', '2024-10-27T00:30:00', 'twice'],
    // Half an hour of daylight saving.
    ['Australia/Lord_Howe', '2024-04-07T01:45:00', '2024-04-06T14:45:00', 'twice'],
    ['Asia/Kolkata', '2024-02-14T09:15:00', '2024-02-14T03:45:00', 'once'],
    ['Etc/GMT+5', '2024-07-15T09:30:00', '2024-07-15T14:30:00', 'once'],
    // A day that the zone skipped.
    ['Pacific/Apia', '2011-12-29T12:00:00', '2011-12-29T22:00:00', 'once'],
    ['Pacific/Apia', '2011-12-31T12:00:00', '2011-12-30T22:00:00', 'once'],
  ])('in %s: %s', (name, text, instant, how) => {
    const zone = new TimeZone(name)
    expect(iso(zone.instantOf(local(text)))).toBe(instant)
    expect(zone.lastCase).toBe(how)
  })

  it('is the one that the zone shows at its instant', () => {
    const zones = ['America/New_York', 'Europe/London', 'Asia/Tokyo', 'Australia/Sydney', 'America/Sao_Paulo'].map(
      (name) => ({
        zone: new TimeZone(name),
        shown: new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' }),
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 1_900_000_000 }), ({ zone, shown }, seconds) => {
        const instant = zone.instantOf(seconds)
        if (zone.lastCase !== 'never') expect(shown.format(instant * 1000)).toBe(iso(seconds).replace('T', ' '))
      }),
      propertyRuns,
    )
  })

  it('needs a zone that exists', () => {
    expect(() => new TimeZone('Mars/Olympus')).toThrow(expect.objectContaining({ code: 'KPI_USAGE' }))
  })
})
