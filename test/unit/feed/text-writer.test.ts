import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyShort, writeDecimal, writeText, writeWhole } from '../../../src/feed/text-writer.ts'
import { propertyRuns } from '../kpi/property-runs.ts'

const buffer = Buffer.alloc(64)
const text = (end: number) => buffer.toString('latin1', 3, end)

describe('numbers as text', () => {
  it('are whole ones up to 2^53', () => {
    const whole = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 999_999_999, 1_000_000_000, 2 ** 53 - 1))
    fc.assert(
      fc.property(whole, (value) => {
        expect(text(writeWhole(buffer, 3, value))).toBe(String(value))
      }),
      propertyRuns,
    )
  })

  it('are decimals with all their places', () => {
    const value = fc.integer({ min: 0, max: 2 ** 31 - 1 })
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 8 }), (units, decimals) => {
        const digits = String(units).padStart(decimals + 1, '0')
        const point = digits.length - decimals
        const expected = decimals === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
        expect(text(writeDecimal(buffer, 3, units, decimals))).toBe(expected)
      }),
      propertyRuns,
    )
  })
})

it('text and bytes are copied to their place', () => {
  expect(text(writeText(buffer, 3, '"close":'))).toBe('"close":')
  expect(text(copyShort(Buffer.from('0123456789'), 2, 7, buffer, 3))).toBe('23456')
})
