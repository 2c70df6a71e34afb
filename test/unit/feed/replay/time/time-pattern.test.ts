import { describe, expect, it } from 'vitest'
import { TimePattern } from '../../../../../src/feed/replay/time/time-pattern.ts'

const seconds = (text: string) => Date.parse(`${text}Z`) / 1000

describe('a pattern', () => {
  it.each([
    ['MM/dd/yyyy HH:mm', '02/14/2024 14:30', '2024-02-14T14:30:00', ''],
    ['dd/MM/yyyy HH:mm:ss.SSS', '14/02/2024 14:30:05.250', '2024-02-14T14:30:05', '250'],
    ['M/d/yy h:mm a', '2/4/24 12:05 am', '2024-02-04T00:05:00', ''],
    ['M/d/yy h:mm a', '12/14/99 12:05 PM', '1999-12-14T12:05:00', ''],
    ['dd-MMM-yyyy', '14-FEB-2024', '2024-02-14T00:00:00', ''],
    ["yyyyMMdd'T'HHmmss", '20240214T143005', '2024-02-14T14:30:05', ''],
    ['yyyyMMddHHmmssSSS', '20240214143005250', '2024-02-14T14:30:05', '250'],
    ['dd.MM.yyyy HH:mm', '14.02.2024   14:30', '2024-02-14T14:30:00', ''],
  ])('%s reads %s', (pattern, text, instant, fraction) => {
    expect(new TimePattern(pattern).read(text)).toMatchObject({
      seconds: seconds(instant),
      fraction,
      offset: undefined,
    })
  })

  it('reads an offset, and knows a date from a time', () => {
    expect(new TimePattern('yyyy-MM-dd HH:mmXXX').read('2024-02-14 14:30-05:00')).toMatchObject({ offset: -18_000 })
    expect(new TimePattern('dd/MM/yyyy').read('14/02/2024')).toMatchObject({ isDay: true })
    expect(new TimePattern('dd/MM/yyyy HH:mm').read('14/02/2024 00:00')).toMatchObject({ isDay: false })
  })

  it.each([
    ['MM/dd/yyyy HH:mm', '14/02/2024 14:30'],
    ['MM/dd/yyyy HH:mm', '02/30/2024 14:30'],
    ['MM/dd/yyyy HH:mm', '02/14/2024 14:30:05'],
    ['MM/dd/yyyy HH:mm', '02/14/2024'],
    ['MM/dd/yyyy HH:mm', '2/14/2024 14:30'],
    ['dd.MM.yyyy', '14x02x2024'],
    ['M/d/yy h:mm a', '2/4/24 13:05 am'],
    ['dd-MMM-yyyy', '14-Fev-2024'],
  ])('%s does not read %s', (pattern, text) => {
    expect(new TimePattern(pattern).read(text)).toBeUndefined()
  })

  it.each([
    ['HH:mm', /a year, a month or a day is missing/],
    ['epoch', /'e' is no part of a time/],
    ['dd/MM/yyyy hh:mm', /h needs an 'a'/],
    ['dd/MM/yyyy mm', /an hour is missing/],
    ['dd/dd/yyyy MM', /'dd' is there twice/],
    ['DD/MM/YYYY', /'DD' is no part of a time/],
  ])('%s means nothing', (pattern, message) => {
    expect(() => new TimePattern(pattern)).toThrow(
      expect.objectContaining({ code: 'KPI_USAGE', message: expect.stringMatching(message) }),
    )
  })
})
