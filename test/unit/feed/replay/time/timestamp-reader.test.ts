import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FieldText } from '../../../../../src/feed/replay/price-line.ts'
import { TimestampWriter } from '../../../../../src/feed/replay/time/iso-text.ts'
import { TimestampReader } from '../../../../../src/feed/replay/time/timestamp-reader.ts'
import { parseTimestamp } from '../../../../../src/kpi/decode/timestamp.ts'
import { propertyRuns } from '../../../kpi/property-runs.ts'

const reader = new TimestampReader()

function read(text: string) {
  const field = new FieldText()
  const bytes = Buffer.from(`12${text}99`)
  field.set(bytes, 2, bytes.length - 2)
  if (!reader.read(field)) return undefined
  const { kind, us, json, ending, isNumber, isMessageForm } = reader
  const written = json === '' ? (isNumber ? `${field}` : `"${field}${ending}"`) : json
  return { kind, us, written, isMessageForm }
}

const us = 1_771_079_405_250_000

describe('a timestamp after RFC 3339', () => {
  it.each([
    ['2026-02-14T14:30:05.250Z', 'RFC 3339', ''],
    ['2026-02-14t14:30:05.25z', 'RFC 3339', ''],
    ['2026-02-14T20:00:05.25+05:30', 'RFC 3339', ''],
    ['2026-02-14 09:30:05.250-0500', 'RFC 3339', ''],
    ['2026-02-14T14:30:05.250999Z', 'RFC 3339', ''],
    ['2026-02-14T14:30:05.250', 'RFC 3339', 'Z'],
    ['2026-02-14 14:30:05.2500000001', 'RFC 3339', 'Z'],
  ])('is written as it stands: %s', (text, kind, ending) => {
    const expected = { kind, written: `"${text}${ending}"`, isMessageForm: true }
    expect(read(text)).toMatchObject(expected)
    expect(Math.floor((read(text)?.us ?? 0) / 1000)).toBe(us / 1000)
  })

  it('of a day alone is its midnight', () => {
    expect(read('2026-02-14')).toEqual({
      kind: 'dates',
      us: Date.UTC(2026, 1, 14) * 1000,
      written: '"2026-02-14T00:00:00Z"',
      isMessageForm: false,
    })
  })

  it.each([
    '14-02-2026 14:30',
    '02/14/2026',
    '2026-02-30T00:00:00Z',
    '2026-02-14T24:00:00Z',
    '2026-02-14T14:60:00Z',
    '2026-02-14T14:30:60Z',
    '2026-02-14T14:30:05.Z',
    '2026-02-14T14:30:05 Z',
    '2026-02-14T14:30:05Zx',
    '2026-02-1414:30:05Z',
    '1969-12-31T23:59:59Z',
    '2026-2-14T14:30:05Z',
    '14:30:05',
    '',
    'yesterday',
  ])('that is none is refused: %s', (text) => {
    expect(read(text)).toBeUndefined()
  })
})

describe('a time since 1970', () => {
  it.each([
    ['1771079405', 'epoch seconds', 1_771_079_405_000_000, '"2026-02-14T14:30:05Z"'],
    ['1771079405.25', 'epoch seconds', us, '"2026-02-14T14:30:05.25Z"'],
    ['1771079405250', 'epoch milliseconds', us, '1771079405250'],
    ['1771079405250.5', 'epoch milliseconds', us + 500, '"2026-02-14T14:30:05.2505Z"'],
    ['1771079405250123', 'epoch microseconds', us + 123, '"2026-02-14T14:30:05.250123Z"'],
    ['1771079405250123456', 'epoch nanoseconds', us + 123, '"2026-02-14T14:30:05.250123456Z"'],
  ])('is told by its magnitude: %s', (text, kind, expectedUs, written) => {
    expect(read(text)).toEqual({ kind, us: expectedUs, written, isMessageForm: written === text })
  })

  it.each(['-5', '0', '177107940525012345678', '+1771079405'])('is refused: %s', (text) => {
    expect(read(text)).toBeUndefined()
  })
})

it('whatever is read is the same instant for the consumer', () => {
  const upTo = (max: number, width = 2) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(width, '0'))
  const parts = fc.tuple(
    upTo(9999, 4),
    upTo(13),
    upTo(32),
    fc.constantFrom('T', ' ', 't', 'x'),
    upTo(24),
    upTo(60),
    upTo(60),
    fc.constantFrom('', '.5', '.123456', '.1234567', '.', ',5'),
    fc.constantFrom('Z', '', 'z', '+01:00', '-23:59', '+0000', '+24:00', 'Y'),
  )
  fc.assert(
    fc.property(parts, ([year, month, day, t, hour, minute, second, fraction, zone]) => {
      const text = `${year}-${month}-${day}${t}${hour}:${minute}:${second}${fraction}${zone}`
      const expected = parseTimestamp(text)
      const found = read(text)
      expect(found?.us).toBe(expected)
      if (found) expect(parseTimestamp(found.written.slice(1, -1))).toBe(expected)
    }),
    propertyRuns,
  )
})

describe('a written timestamp', () => {
  it('has milliseconds, and microseconds where there are some', () => {
    const writer = new TimestampWriter()
    expect(writer.text(us)).toBe('2026-02-14T14:30:05.250Z')
    expect(writer.text(us + 7)).toBe('2026-02-14T14:30:05.250007Z')
    expect(writer.text(0)).toBe('1970-01-01T00:00:00.000Z')
  })

  it('is read back', () => {
    const writer = new TimestampWriter()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 53 - 1 }), (instant) => {
        expect(parseTimestamp(writer.text(instant))).toBe(instant)
      }),
      propertyRuns,
    )
  })
})
