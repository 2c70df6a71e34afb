import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalsToKeep, losesPrecision } from '../../../src/kpi/precision.ts'
import { propertyRuns } from './property-runs.ts'

describe('losesPrecision', () => {
  it.each([
    ['0.000000123789', 8],
    ['1.23789e-7', 9],
    ['-0.00000012', 8, false],
    ['0.000000123789', 12, false],
    // Not one digit is left.
    ['1e-9', 8],
    ['4.9e-9', 8],
    ['1e-400', 18],
    ['1e-99999999999999999999', 18],
    // On both sides of one ten-thousandth.
    ['0.0000500049', 8, false],
    ['0.0000499950', 8],
    ['0.0000100010', 8, false],
    ['0.00001000101', 8],
    ['0.0000100011', 8],
    // A tie is off by half a unit, whichever way it goes.
    ['0.000049995', 8],
    ['0.000050005', 8, false],
    // Rounded up.
    ['0.000000009', 8],
    ['0.0000999999', 8, false],
    // Zeros are no digits.
    ['0.0000000100000000000000', 8, false],
    ['1000e-11', 8, false],
    ['0', 8, false],
    ['-0.0', 8, false],
    ['0e-30', 8, false],
    ['187.123456789', 8, false],
    ['1.5e300', 8, false],
    ['no number', 8, false],
  ])('%s with %i decimals', (text, decimals, loses: boolean | undefined = true) => {
    expect(losesPrecision(text, decimals)).toBe(loses)
  })

  it('is what exact fractions say', () => {
    const scaled = fc.bigInt({ min: 1n, max: 10n ** 22n })
    fc.assert(
      fc.property(scaled, fc.integer({ min: 8, max: 18 }), (value, decimals) => {
        const text = `${value}e-22`
        const unit = 10n ** BigInt(22 - decimals)
        const below = value % unit
        const error = below > unit - below ? unit - below : below
        expect(losesPrecision(text, decimals)).toBe(error * 10_000n > value)
      }),
      propertyRuns,
    )
  })
})

describe('decimalsToKeep', () => {
  it.each([
    ['0.000000123789', 12],
    ['1.237890e-7', 12],
    ['0.00000012000000', 8],
    ['187', 8],
    ['12000000000e-18', 9],
    ['0.000', 8],
    ['1e-12', 12],
    ['1e-18', 18],
    // Of a number that was written as a double some digits are noise.
    ['0.00000012378912345678901', 18],
    ['1e-19', undefined],
    ['1e-99999999999999999999', undefined],
  ])('%s: %s', (text, decimals) => {
    expect(decimalsToKeep(text)).toBe(decimals)
  })
})
