import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mergePartials, type PartialRow, type PlacedPrice } from '../../../../src/kpi/partial.ts'
import { type MergeRule, mergedColumns, windowColumns } from '../../../../src/store/windows/window-columns.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

const small = fc.bigInt({ min: -3n, max: 3n })
const count = fc.nat({ max: 3 })
const place: fc.Arbitrary<PlacedPrice> = fc.record({
  timestampUs: count,
  partition: count,
  offset: count,
  price: small,
})

const partial: fc.Arbitrary<PartialRow> = fc.record({
  symbol: fc.constant('A'),
  windowStartUs: fc.constant(0),
  n: fc.integer({ min: 1, max: 3 }),
  sumClose: small,
  sumCloseSq: small,
  sumCloseVolume: small,
  sumVolume: small,
  minClose: small,
  maxClose: small,
  high: small,
  low: small,
  first: place,
  last: place,
  lateCount: count,
})

type Value = string | number | bigint

const order = ({ timestampUs, partition, offset }: PlacedPrice) => timestampUs * 100 + partition * 10 + offset

/** What a column of two partials must be by its rule. */
const ruled: Record<MergeRule, (a: PartialRow, b: PartialRow, value: (row: PartialRow) => Value) => Value> = {
  key: (a, _b, value) => value(a),
  sum: (a, b, value) => BigInt(value(a)) + BigInt(value(b)),
  min: (a, b, value) => value(value(a) < value(b) ? a : b),
  max: (a, b, value) => value(value(a) > value(b) ? a : b),
  first: (a, b, value) => value(order(a.first) <= order(b.first) ? a : b),
  last: (a, b, value) => value(order(a.last) >= order(b.last) ? a : b),
}

it('each column is merged in the core by the rule that the table gives', () => {
  fc.assert(
    fc.property(partial, partial, (a, b) => {
      // Two messages never have the same partition and offset.
      fc.pre(order(a.first) !== order(b.first) && order(a.last) !== order(b.last))
      const merged = mergePartials(a, b)
      for (const { merge, parameter, value } of mergedColumns) {
        expect([parameter, String(value(merged))]).toEqual([parameter, String(ruled[merge](a, b, value))])
      }
    }),
    propertyRuns,
  )
})

it('each number of a partial is stored in exactly one column', () => {
  const numbers = (row: object): string[] =>
    Object.entries(row).flatMap(([key, value]) =>
      typeof value === 'object' ? numbers(value).map((name) => `${key}.${name}`) : [key],
    )
  const [row] = fc.sample(partial, { numRuns: 1, seed: 1 })
  if (!row) throw new Error('a partial was expected')
  const names = numbers(row)
  const named = nameTree(row) as PartialRow
  const read = mergedColumns.map(({ value }) => String(value(named)))
  expect(read.toSorted()).toEqual(names.toSorted())
})

/** A partial whose values are their own names. */
function nameTree(tree: object, prefix = ''): object {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [
      key,
      typeof value === 'object' ? nameTree(value, `${prefix}${key}.`) : `${prefix}${key}`,
    ]),
  )
}

it('no two columns share a parameter', () => {
  const parameters = mergedColumns.map(({ parameter }) => parameter)
  expect(new Set(parameters).size).toBe(parameters.length)
  expect(parameters.length).toBeLessThan(Object.keys(windowColumns).length)
})
