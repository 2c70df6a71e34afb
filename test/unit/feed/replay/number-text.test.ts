import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyPlainNumber, jsonNumber } from '../../../../src/feed/replay/number-text.ts'
import { parseScaled } from '../../../../src/kpi/decimal.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

function copied(text: string): string | undefined {
  const from = Buffer.from(`  ${text}7`)
  const into = Buffer.alloc(from.length + 4)
  const end = copyPlainNumber(from, 2, from.length - 1, into, 1)
  return end < 0 ? undefined : into.toString('latin1', 1, end)
}

describe('a plain number', () => {
  it.each(['0', '-0', '7', '187.150', '-0.00000001', '123456789012345678901234567890.5', '0.0'])(
    'keeps its digits: %s',
    (text) => {
      expect(copied(text)).toBe(text)
      expect(jsonNumber(text)).toBe(text)
    },
  )
})

describe('a number in another form', () => {
  it.each([
    ['1e3', '1e3'],
    ['1.50E+03', '1.50E+03'],
    ['+5', '5'],
    ['.5', '0.5'],
    ['-.50', '-0.50'],
    ['5.', '5'],
    ['007', '7'],
    ['-000.10', '-0.10'],
    ['00', '0'],
    ['1.e2', '1e2'],
  ])('becomes JSON, with its digits: %s', (text, json) => {
    expect(copied(text)).toBeUndefined()
    expect(jsonNumber(text)).toBe(json)
    expect(Number(json)).toBe(Number(text))
  })
})

describe('what is no number', () => {
  it.each([
    '',
    '-',
    '+',
    '.',
    'e5',
    '1e',
    '1.2.3',
    '1,234.5',
    'NaN',
    'Infinity',
    'null',
    '0x10',
    '1 2',
    '--1',
    '12a',
    '$5',
    '١',
  ])('is refused: "%s"', (text) => {
    expect(copied(text)).toBeUndefined()
    expect(jsonNumber(text)).toBeUndefined()
  })
})

it('any accepted text is a number for the consumer too', () => {
  const text = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', 'E'), maxLength: 10 })
  fc.assert(
    fc.property(text, (candidate) => {
      const plain = copied(candidate)
      const json = jsonNumber(candidate)
      if (plain !== undefined) expect(json).toBe(plain)
      if (json === undefined) return
      expect(Number(JSON.parse(json))).toBe(Number(candidate))
      // Undefined only where it is too large.
      if (Math.abs(Number(json)) < 1e15) expect(parseScaled(json, 8)).toBeDefined()
    }),
    propertyRuns,
  )
})
