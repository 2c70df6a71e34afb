import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endOfTimeUs, epochDay, parseEpochMs, parseTimestamp } from '../../../../src/kpi/decode/timestamp.ts'
import { propertyRuns } from '../property-runs.ts'

const us = 1_771_079_405_250_000 // 2026-02-14T14:30:05.250Z

describe('parseTimestamp', () => {
  it.each([
    ['2026-02-14T14:30:05.250Z', us],
    ['2026-02-14T14:30:05.25Z', us],
    ['2026-02-14t14:30:05.250z', us],
    ['2026-02-14 14:30:05.250Z', us],
    ['2026-02-14T14:30:05.250', us],
    ['2026-02-14 14:30:05.250', us],
    ['2026-02-14T14:30:05.250+00:00', us],
    ['2026-02-14T14:30:05.250-00:00', us],
    ['2026-02-14T20:00:05.250+05:30', us],
    ['2026-02-14T20:00:05.250+0530', us],
    ['2026-02-14T09:30:05.250-05:00', us],
    ['2026-02-14T09:30:05.250-0500', us],
    ['2026-02-15T14:29:05.250+23:59', us],
    ['2026-02-13T14:31:05.250-23:59', us],
    ['2026-02-14T14:30:05Z', us - 250_000],
    ['2026-02-14T23:59:59.999999Z', 1_771_113_599_999_999],
    ['2026-02-15T00:00:00Z', 1_771_113_600_000_000],
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00.000001Z', 1],
    ['1969-12-31T23:30:00-01:00', 1_800_000_000],
    ['2000-02-29T12:00:00Z', 951_825_600_000_000],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000],
    ['2255-06-05T23:47:34.740991Z', endOfTimeUs - 1],
  ])('reads %s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected)
  })

  it.each([
    ['2026-02-14T14:30:05.1Z', 100_000],
    ['2026-02-14T14:30:05.123456Z', 123_456],
    ['2026-02-14T14:30:05.123456789Z', 123_456],
    ['2026-02-14T14:30:05.9999999Z', 999_999],
    ['2026-02-14T14:30:05.0000009Z', 0],
    [`2026-02-14T14:30:05.${'9'.repeat(60_000)}Z`, 999_999],
  ])('cuts the fraction of %.40s off after the microsecond', (text, fractionUs) => {
    expect(parseTimestamp(text)).toBe(us - 250_000 + fractionUs)
  })

  it.each([
    '',
    'yesterday',
    '14.02.2026 14:30',
    '2026-02-14',
    '2026-02-14T14:30Z',
    '2026-02-14T14Z',
    '2026-02-14T14:30:05.Z',
    '2026-02-14T14:30:05,250Z',
    '2026-02-14_14:30:05Z',
    '2026-02-14  14:30:05Z',
    ' 2026-02-14T14:30:05Z',
    '2026-02-14T14:30:05Z ',
    '2026-02-14T14:30:05Z\n',
    '2026-02-14T14:30:05 Z',
    '2026-02-14T14:30:05ZZ',
    '2026-2-14T14:30:05Z',
    '26-02-14T14:30:05Z',
    '12026-02-14T14:30:05Z',
    '-2026-02-14T14:30:05Z',
    '٢٠٢٦-02-14T14:30:05Z',
  ])('refuses %j, which has another form', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  it.each([
    '2026-00-14T14:30:05Z',
    '2026-13-14T14:30:05Z',
    '2026-02-00T14:30:05Z',
    '2026-02-29T14:30:05Z',
    '2026-02-30T14:30:05Z',
    '2100-02-29T14:30:05Z',
    '2026-01-32T14:30:05Z',
    '2026-04-31T14:30:05Z',
    '2026-06-31T14:30:05Z',
    '2026-09-31T14:30:05Z',
    '2026-11-31T14:30:05Z',
    '2026-02-14T24:00:00Z',
    '2026-02-14T14:60:05Z',
    '2026-02-14T14:30:60Z',
    '2016-12-31T23:59:60Z',
  ])('refuses %s, which no calendar or clock has', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  it.each(['+24:00', '-24:00', '+23:60', '+5:30', '+05', '+05:3', '+05:300', '+05-30', '05:30', '+-05:30', 'Z+00:00'])(
    'refuses the offset %s',
    (offset) => {
      expect(parseTimestamp(`2026-02-14T14:30:05${offset}`)).toBeUndefined()
    },
  )

  it.each([
    '1969-12-31T23:59:59Z',
    '1969-12-31T23:59:59.999999Z',
    '1970-01-01T00:59:59+01:00',
    '0001-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
  ])('refuses %s, which is before 1970', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  it.each(['2255-06-05T23:47:34.740992Z', '2255-06-05T23:47:35Z', '9999-12-31T23:59:59.999999Z'])(
    'says of %s that it is beyond what a double holds',
    (text) => {
      expect(parseTimestamp(text)).toBeGreaterThanOrEqual(endOfTimeUs)
    },
  )

  it('reads back every instant as Date writes it', () => {
    const property = fc.property(fc.nat({ max: Math.floor(endOfTimeUs / 1000) }), (ms) => {
      expect(parseTimestamp(new Date(ms).toISOString())).toBe(ms * 1000)
    })
    fc.assert(property, propertyRuns)
  })
})

describe('parseEpochMs', () => {
  it.each([
    ['0', 0],
    ['1', 1000],
    ['1771079405250', us],
    ['9007199254740', 9_007_199_254_740_000],
  ])('reads %s', (text, expected) => {
    expect(parseEpochMs(text)).toBe(expected)
  })

  it.each(['9007199254741', '10000000000000', '99999999999999999'])(
    'says of %s that a double cannot hold it',
    (text) => {
      expect(parseEpochMs(text)).toBeGreaterThanOrEqual(endOfTimeUs)
    },
  )

  it.each(['-0', '-5', '1771079405.25', '1.77e12', '1e3', '0.0', '100000000000000000', ''])('refuses %j', (text) => {
    expect(parseEpochMs(text)).toBeUndefined()
  })
})

describe('epochDay', () => {
  it('counts each day of four centuries once', () => {
    let expected = 0
    for (let year = 1970; year < 2370; year++) {
      for (let month = 1; month <= 12; month++) {
        const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
        for (let day = 1; day <= 31; day++) {
          const found = epochDay(year, month, day)
          if (found !== (day <= days ? expected : undefined)) throw new Error(`${year}-${month}-${day}: ${found}`)
          if (found !== undefined) expected++
        }
      }
    }
    // 400 years, of which 97 have a leap day.
    expect(expected).toBe(400 * 365 + 97)
  })

  it('knows the days before the epoch too', () => {
    expect(epochDay(1969, 12, 31)).toBe(-1)
    expect(epochDay(0, 1, 1)).toBe(Date.UTC(-1, 11, 31) / 86_400_000 + 1)
  })
})
