import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatScaled, parseScaled } from '../../../src/kpi/decimal.ts'
import { numberText } from './decode/message-arbitrary.ts'
import { propertyRuns } from './property-runs.ts'

describe('parseScaled', () => {
  it.each([
    ['0', 0n],
    ['-0', 0n],
    ['0.0', 0n],
    ['-0.00e5', 0n],
    ['1', 100_000_000n],
    ['187.18', 18_718_000_000n],
    ['-37.63', -3_763_000_000n],
    ['0.00000001', 1n],
    ['1e-8', 1n],
    ['-1e-8', -1n],
    ['1E+3', 100_000_000_000n],
    ['18718e-2', 18_718_000_000n],
    ['0.0018718e5', 18_718_000_000n],
    ['187.14999389648438', 18_714_999_390n],
    ['999999999999999.99999999', 99_999_999_999_999_999_999_999n],
    ['-999999999999999.99999999', -99_999_999_999_999_999_999_999n],
  ])('reads %s', (text, scaled) => {
    expect(parseScaled(text, 8)).toBe(scaled)
  })

  it.each([
    ['0.5e-8', 0n],
    ['1.5e-8', 2n],
    ['2.5e-8', 2n],
    ['3.5e-8', 4n],
    ['-0.5e-8', 0n],
    ['-1.5e-8', -2n],
    ['-2.5e-8', -2n],
    ['0.000000005', 0n],
    ['0.000000015', 2n],
    ['0.0000000149999999999999999999', 1n],
    ['0.0000000150000000000000000000', 2n],
    ['0.0000000050000000000000000001', 1n],
    ['1.000000005', 100_000_000n],
    ['1.000000015', 100_000_002n],
    ['0.999999995', 100_000_000n],
    ['0.999999985', 99_999_998n],
    ['9.999999999', 1_000_000_000n],
    ['-1e-9', 0n],
    ['4.9e-9', 0n],
    ['6e-9', 1n],
  ])('rounds %s half-even at the eighth digit', (text, scaled) => {
    expect(parseScaled(text, 8)).toBe(scaled)
  })

  it.each(['1e15', '-1e15', '1000000000000000', '9.007e15', '1e400', '10e14', '0.001e18'])(
    'refuses %s, which is too large',
    (text) => {
      expect(parseScaled(text, 8)).toBeUndefined()
    },
  )

  it('looks at the magnitude after rounding', () => {
    expect(parseScaled('999999999999999.999999994999', 8)).toBe(10n ** 23n - 1n)
    expect(parseScaled('999999999999999.999999995', 8)).toBeUndefined()
    expect(parseScaled('-999999999999999.999999995', 8)).toBeUndefined()
  })

  it.each([
    ['1e999999999', undefined],
    ['-1e99999999999999999999999999', undefined],
    ['0e99999999999', 0n],
    ['0.000e-99999999999', 0n],
    ['1e-99999999', 0n],
    ['123456789e-99999999999999999999', 0n],
    ['1e0000000000000000000000000000000000002', 10_000_000_000n],
  ])('settles the absurd exponent of %s at once', (text, scaled) => {
    expect(parseScaled(text, 8)).toBe(scaled)
  })

  it('reads as many digits as a message can hold, and the last of them counts', () => {
    const nothing = '0'.repeat(60_000)
    expect(parseScaled(`0.000000005${nothing}`, 8)).toBe(0n)
    expect(parseScaled(`0.000000005${nothing}1`, 8)).toBe(1n)
    expect(parseScaled(`1${nothing}e-60000`, 8)).toBe(100_000_000n)
    expect(parseScaled(`0.${nothing}1e60001`, 8)).toBe(100_000_000n)
  })

  it.each([
    ['0.000000123789', 12, 123_789n],
    ['1.23789e-7', 12, 123_789n],
    ['187.18', 18, 187_180_000_000_000_000_000n],
    ['1e-18', 18, 1n],
    ['0.5e-18', 18, 0n],
    ['1.5e-18', 18, 2n],
    ['-0.00000000015', 10, -2n],
    ['999999999999999.999999999999999999', 18, 10n ** 33n - 1n],
    ['999999999999999.9999999999999999995', 18, undefined],
    ['1e15', 18, undefined],
  ])('reads %s with %i decimals', (text, decimals, scaled) => {
    expect(parseScaled(text, decimals)).toBe(scaled)
  })

  it.each(['', '-', '1.', '.5', '+1', '1e', '0x10', ' 1', 'NaN', '1\n'])('refuses %j, which is no number', (text) => {
    expect(parseScaled(text, 8)).toBeUndefined()
  })

  it('gives back what formatScaled wrote', () => {
    const scaled = fc.bigInt({ min: 1n - 10n ** 23n, max: 10n ** 23n - 1n })
    const property = fc.property(scaled, fc.integer({ min: 8, max: 18 }), (value, decimals) => {
      expect(parseScaled(formatScaled(value, decimals), decimals)).toBe(value)
    })
    fc.assert(property, propertyRuns)
  })

  it('reads a number and its negative alike', () => {
    const property = fc.property(numberText, (text) => {
      const negative = text.startsWith('-') ? text.slice(1) : `-${text}`
      const scaled = parseScaled(text, 8)
      expect(parseScaled(negative, 8)).toBe(scaled === undefined ? undefined : -scaled)
    })
    fc.assert(property, propertyRuns)
  })
})

describe('formatScaled', () => {
  it.each([
    [0n, 8, '0.00000000'],
    [1n, 8, '0.00000001'],
    [-1n, 8, '-0.00000001'],
    [99_999_999n, 8, '0.99999999'],
    [100_000_000n, 8, '1.00000000'],
    [-100_000_000n, 8, '-1.00000000'],
    [18_718_000_000n, 8, '187.18000000'],
    [-3_763_000_000n, 8, '-37.63000000'],
    [1n, 16, '0.0000000000000001'],
    [10n ** 46n, 16, `1${'0'.repeat(30)}.${'0'.repeat(16)}`],
    [42n, 0, '42'],
    [-42n, 0, '-42'],
  ])('writes %s at scale %s as %s', (value, scale, text) => {
    expect(formatScaled(value, scale)).toBe(text)
  })

  it('has its point exactly `scale` digits before the end', () => {
    const property = fc.property(fc.bigInt(), fc.integer({ min: 1, max: 40 }), (value, scale) => {
      const text = formatScaled(value, scale)
      expect(text).toMatch(/^-?(0|[1-9]\d*)\.\d+$/)
      expect(text.length - text.indexOf('.') - 1).toBe(scale)
      expect(BigInt(text.replace('.', ''))).toBe(value)
    })
    fc.assert(property, propertyRuns)
  })
})
