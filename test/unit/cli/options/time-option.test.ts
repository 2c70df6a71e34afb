import { describe, expect, it } from 'vitest'
import { ageOption, instantOption, sinceOption } from '../../../../src/cli/options/time-option.ts'

describe('a moment', () => {
  it.each([
    ['2026-02-14', '2026-02-14T00:00:00.000Z'],
    ['2026-02-14T14:30Z', '2026-02-14T14:30:00.000Z'],
    ['2026-02-14 14:30:05', '2026-02-14T14:30:05.000Z'],
    ['2026-02-14T14:30:05.25+05:30', '2026-02-14T09:00:05.250Z'],
  ])('%s is %s', (text, iso) => {
    expect(instantOption(text).toISOString()).toBe(iso)
    expect(sinceOption(text).toISOString()).toBe(iso)
  })

  it.each(['', 'yesterday', '2026-02-30', '2026-13-01', '2026-02-14T25:00', '14.02.2026', '15m'])(
    'is not %j',
    (text) => {
      expect(() => instantOption(text)).toThrow('must be a date')
    },
  )
})

it.each([
  ['90s', 90],
  ['15m', 900],
  ['2h', 7200],
  ['7d', 604_800],
])('%s ago is %s seconds ago', (text, seconds) => {
  const before = Date.now()
  const agoMs = before - sinceOption(text).getTime()
  expect(agoMs).toBeGreaterThan(seconds * 1000 - 5000)
  expect(agoMs).toBeLessThanOrEqual(seconds * 1000)
})

it.each(['-2h', '2', 'h', '2w', '1.5h'])('%j is no age', (text) => {
  expect(() => sinceOption(text)).toThrow('must be an age')
})

describe('how long', () => {
  it.each([
    ['90s', 90_000],
    ['1h', 3_600_000],
    ['90d', 7_776_000_000],
  ])('%s is %d ms', (text, ms) => {
    expect(ageOption(text)).toBe(ms)
  })

  it.each(['', '0s', '2', '2026-02-14', '-1h'])('is not %j', (text) => {
    expect(() => ageOption(text)).toThrow('must be a time')
  })
})
