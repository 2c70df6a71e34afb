import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { join, readClock, readCompact, readDateTime } from '../../../../../src/feed/replay/time/civil-time.ts'
import { propertyRuns } from '../../../kpi/property-runs.ts'

const days = (text: string) => Date.parse(`${text}T00:00:00Z`) / 1000
const two = (value: number) => String(value).padStart(2, '0')

describe('a date and time', () => {
  const day = days('2024-02-14')
  it.each([
    ['2024-02-14', { seconds: day, isDay: true, offset: undefined }],
    ['2024.02.14', { seconds: day, isDay: true }],
    ['2024/02/14', { seconds: day, isDay: true }],
    ['14.02.2024', { seconds: day, isDay: true }],
    ['2024-02-14T14:30', { seconds: day + 52_200, isDay: false }],
    ['14.02.2024 14:30:05.250', { seconds: day + 52_205, fraction: '250' }],
    ['2024-02-14 14:30+00', { seconds: day + 52_200, offset: 0 }],
    ['2024-02-14 14:30:00 -0530', { offset: -19_800 }],
    ['2024-02-14 14:30 UTC', { offset: 0 }],
    ['20240214 143005', { seconds: day + 52_205 }],
    ['20240214 1430', { seconds: day + 52_200 }],
  ])('is read: %s', (text, expected) => {
    expect(readDateTime(text)).toMatchObject(expected)
  })

  it.each([
    '2024-02-30',
    '30.02.2024',
    '2024-02.14',
    '02/14/2024',
    '14-02-2024',
    '2024-2-14',
    '2024-02-14Z',
    '2024-02-14 24:00',
    '2024-02-14 14:60',
    '2024-02-14 14:30:05.',
    '2024-02-14 1430',
    '2024-02-14 14:30+24:00',
    '2024-02-14 14:30UTC',
    '20240214T143000',
    '20240230 143000',
    '14:30',
  ])('is none: %s', (text) => {
    expect(readDateTime(text)).toBeUndefined()
  })
})

describe('a time of day', () => {
  it.each([
    ['14:30', 52_200, ''],
    ['14:30:05', 52_205, ''],
    ['14:30:05.25', 52_205, '25'],
    ['1430', 52_200, ''],
    ['143005', 52_205, ''],
    ['0000', 0, ''],
  ])('is read: %s', (text, seconds, fraction) => {
    expect(readClock(text)).toEqual({ seconds, fraction, offset: undefined })
  })

  it.each(['9:30', '930', '14:30 PM', '2430', '146000', '14:30:5', '14', '14303', '14:30.5', ''])(
    'is none: %s',
    (text) => {
      expect(readClock(text)).toBeUndefined()
    },
  )
})

it('compact dates are the same as their other forms', () => {
  const instant = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-12-31T23:59:59Z'), noInvalidDate: true })
  fc.assert(
    fc.property(instant, (date) => {
      const [year, month, day] = [String(date.getUTCFullYear()), two(date.getUTCMonth() + 1), two(date.getUTCDate())]
      const [hour, minute, second] = [two(date.getUTCHours()), two(date.getUTCMinutes()), two(date.getUTCSeconds())]
      const iso = readDateTime(`${year}-${month}-${day}T${hour}:${minute}:${second}`)
      expect(iso?.seconds).toBe(Math.floor(date.getTime() / 1000))
      expect(readCompact(`${year}${month}${day}${hour}${minute}${second}`)).toEqual(iso)
      expect(readDateTime(`${year}${month}${day} ${hour}${minute}${second}`)).toEqual(iso)
      expect(readDateTime(`${day}.${month}.${year} ${hour}:${minute}:${second}`)).toEqual(iso)
      const apart = readCompact(`${year}${month}${day}`)
      expect(apart && join(apart, readClock(`${hour}:${minute}:${second}`))).toEqual(iso)
      expect(readCompact(`${year}${month}${day}${hour}${minute}`)?.seconds).toBe((iso?.seconds ?? 0) - Number(second))
    }),
    propertyRuns,
  )
})

it.each([
  '18991231',
  '21010101',
  '20240230',
  '20241301',
  '2024021424',
  '202402142500',
  '20240214146000',
  '2024021',
  'x',
])('digits that are no date: %s', (text) => {
  expect(readCompact(text)).toBeUndefined()
})
