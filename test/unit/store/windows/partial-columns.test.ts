import fc from 'fast-check'
import pg from 'pg'
import { expect, it } from 'vitest'
import type { PartialRow } from '../../../../src/kpi/partial.ts'
import { byteaArray, numberArray, partialColumns, textArray } from '../../../../src/store/windows/partial-columns.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

const textArrayOid = 1009
const byteaArrayOid = 1001

/** As node-postgres reads arrays; that PostgreSQL does the same, the integration tests of the commit show. */
function read(oid: number, text: string): unknown {
  return pg.types.getTypeParser(oid, 'text')(text)
}

it('texts come back as they were, whatever characters they hold', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', 'NULL', 'null', '{}', ',', '"', '\\', '\\"', ' '),
  )
  fc.assert(
    fc.property(fc.array(fc.option(text)), (values) => {
      expect(read(textArrayOid, textArray(values))).toEqual(values)
    }),
    propertyRuns,
  )
})

it('bytes come back as they were', () => {
  const bytes = fc.uint8Array({ maxLength: 50 })
  fc.assert(
    fc.property(fc.array(fc.option(bytes)), (values) => {
      const found = read(byteaArrayOid, byteaArray(values)) as (Buffer | null)[]
      expect(found.map((value) => value && [...value])).toEqual(values.map((value) => value && [...value]))
    }),
    propertyRuns,
  )
})

it('a part of a larger buffer is written alone', () => {
  expect(byteaArray([Buffer.from('abcdef').subarray(2, 4)])).toBe('{"\\\\x6364"}')
})

it('numbers are written in full', () => {
  expect(numberArray([0, -1, null, 2 ** 53 - 1, 253_402_300_799_999_000])).toBe(
    '{0,-1,NULL,9007199254740991,253402300799999000}',
  )
  expect([numberArray([]), textArray([]), byteaArray([])]).toEqual(['{}', '{}', '{}'])
})

it('partials become one array a parameter of kpi_merge, every price with DECIMALS and every product with twice as many digits', () => {
  const row: PartialRow = {
    symbol: 'BTC/"USDT\\',
    windowStartUs: 1_771_079_400_000_000,
    n: 2,
    sumClose: -1n,
    sumCloseSq: 10n ** 46n,
    sumCloseVolume: -5n,
    sumVolume: 0n,
    minClose: -(10n ** 23n - 1n),
    maxClose: 18_720_000_000n,
    high: 1n,
    low: 100_000_000n,
    first: { timestampUs: 1_771_079_400_000_001, partition: 2, offset: 2 ** 53 - 1, price: 2n },
    last: { timestampUs: 1_771_079_400_000_002, partition: 0, offset: 0, price: 3n },
    lateCount: 1,
  }
  expect(partialColumns([row], 8)).toEqual([
    '{"BTC/\\"USDT\\\\"}',
    '{1771079400000000}',
    '{2}',
    '{-0.00000001}',
    '{1000000000000000000000000000000.0000000000000000}',
    '{-0.0000000000000005}',
    '{0.00000000}',
    '{-999999999999999.99999999}',
    '{187.20000000}',
    '{0.00000001}',
    '{1.00000000}',
    '{1771079400000001}',
    '{2}',
    '{9007199254740991}',
    '{0.00000002}',
    '{1771079400000002}',
    '{0}',
    '{0}',
    '{0.00000003}',
    '{1}',
  ])
  const finer = { ...row, sumClose: 1_500_000_000_000n, sumCloseSq: 10n ** 24n, minClose: 1n }
  const [, , , sumClose, sumCloseSq, , , minClose] = partialColumns([finer], 12)
  expect(sumClose).toBe('{1.500000000000}')
  expect(sumCloseSq).toBe('{1.000000000000000000000000}')
  expect(minClose).toBe('{0.000000000001}')
  expect(partialColumns([], 8).every((column) => column === '{}')).toBe(true)
})
