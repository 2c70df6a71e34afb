// The table of the window's columns describes what the migrations create: columns, parameters and merge rules.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mergePartials, type PartialRow } from '../../../src/kpi/partial.ts'
import { commitParameters } from '../../../src/store/windows/commit.ts'
import { mergeParameters, mergeStatement } from '../../../src/store/windows/merge-parameters.ts'
import { type ComputedColumn, type MergedColumn, windowColumns } from '../../../src/store/windows/window-columns.ts'
import { StoreScene } from '../scenes/store-scene.ts'

let scene: StoreScene

beforeAll(async () => {
  scene = await StoreScene.open()
})

afterAll(() => scene[Symbol.asyncDispose]())

type Column = MergedColumn | ComputedColumn
const columns: [string, Column][] = Object.entries(windowColumns)

const databaseTypes: Record<Column['type'], string> = {
  text: 'text',
  instant: 'timestamp with time zone',
  integer: 'integer',
  bigint: 'bigint',
  price: 'numeric',
  product: 'numeric',
  quotient: 'numeric',
}

it('lists every column of kpi_market_prices with its type, and those that the database generates', async () => {
  const stored = await scene.owner.query<{ name: string; type: string; isGenerated: boolean }>({
    text: `SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type, attgenerated <> '' AS "isGenerated"
      FROM pg_attribute WHERE attrelid = 'kpi_market_prices'::regclass AND attnum > 0 AND NOT attisdropped
      ORDER BY 1`,
  })
  const listed = columns.map(([name, column]) => {
    const isGenerated = 'computed' in column && column.computed === 'generated'
    return { name, type: databaseTypes[column.type], isGenerated }
  })
  expect(listed.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(stored)
})

it('passes every parameter that kpi_merge and kpi_commit have, and an array of the column’s type in each', async () => {
  const functions = await scene.owner.query<{ name: string; parameters: string[]; types: string[] }>({
    text: `SELECT proname::text AS name, proargnames AS parameters,
        ARRAY(SELECT format_type(type, NULL) FROM unnest(proargtypes) WITH ORDINALITY AS t(type, i) ORDER BY i) AS types
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('kpi_merge', 'kpi_commit') ORDER BY 1`,
  })
  const sorted = (names: readonly string[]) => names.toSorted()
  expect(functions.map(({ name, parameters }) => [name, sorted(parameters)])).toEqual([
    ['kpi_commit', sorted(commitParameters)],
    ['kpi_merge', sorted(['p_window_seconds', ...mergeParameters])],
  ])
  for (const { parameters, types } of functions) {
    const typeOf = Object.fromEntries(parameters.map((name, i) => [name, types[i]]))
    for (const [, column] of columns) {
      if (!('merge' in column)) continue
      const type = column.type === 'instant' ? 'bigint' : databaseTypes[column.type]
      expect([column.parameter, typeOf[column.parameter]]).toEqual([column.parameter, `${type}[]`])
    }
  }
})

/** Two partials that differ in every number, so that no rule gives what another one would. Σc² is at least (Σc)²/n, as of any closes. */
const early: PartialRow = {
  ...{ symbol: 'A', windowStartUs: 0, n: 2, lateCount: 1 },
  ...{ sumClose: 500n, sumCloseSq: 130_000n, sumCloseVolume: 9_000n, sumVolume: 40n },
  ...{ minClose: 100n, maxClose: 400n, high: 900n, low: 20n },
  first: { timestampUs: 10, partition: 1, offset: 5, price: 130n },
  last: { timestampUs: 20, partition: 2, offset: 8, price: 170n },
}
const late: PartialRow = {
  ...{ symbol: 'A', windowStartUs: 0, n: 3, lateCount: 2 },
  ...{ sumClose: 700n, sumCloseSq: 170_001n, sumCloseVolume: 6_000n, sumVolume: 30n },
  ...{ minClose: 150n, maxClose: 410n, high: 800n, low: 10n },
  first: { timestampUs: 30, partition: 0, offset: 6, price: 160n },
  last: { timestampUs: 40, partition: 3, offset: 7, price: 190n },
}

it.each([
  ['the later partial into the earlier one', [early, late]],
  ['the earlier partial into the later one', [late, early]],
])('merges every column in the database as the core does: %s', async (name, [one, other]) => {
  if (!one || !other) throw new Error('two partials were expected')
  const symbol = name.replaceAll(' ', '-')
  const definition = { windowSeconds: 300, decimals: 8 }
  for (const row of [one, other]) await scene.owner.query(mergeStatement([{ ...row, symbol }], definition))
  const select = columns.flatMap(([column, { type, ...rest }]) => {
    if (!('merge' in rest)) return []
    if (type === 'instant') return [`(extract(epoch FROM ${column}) * 1000000)::bigint::text AS ${column}`]
    const scale = type === 'price' ? 8 : type === 'product' ? 16 : 0
    return [scale > 0 ? `(${column} * 10::numeric ^ ${scale})::bigint::text AS ${column}` : `${column}::text`]
  })
  const [found] = await scene.owner.query<Record<string, string>>({
    text: `SELECT ${select.join(', ')} FROM kpi_market_prices WHERE symbol = $1`,
    values: [symbol],
  })
  const merged = { ...mergePartials(one, other), symbol }
  const expected = columns.flatMap(([column, rule]) => ('merge' in rule ? [[column, String(rule.value(merged))]] : []))
  expect(found).toEqual(Object.fromEntries(expected))
})
