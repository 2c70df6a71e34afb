import { expect, it } from 'vitest'
import type { PartialRow } from '../../../../src/kpi/partial.ts'
import { mergeParameters, mergeStatement, mergeValues } from '../../../../src/store/windows/merge-parameters.ts'

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

function named(rows: readonly PartialRow[], decimals: number): Record<string, string> {
  const values = mergeValues(rows, decimals)
  return Object.fromEntries(mergeParameters.map((name, i) => [name, values[i] ?? '']))
}

it('each parameter of kpi_merge gets its number, a price with DECIMALS and a product with twice as many digits', () => {
  expect(named([row], 8)).toEqual({
    p_symbol: '{"BTC/\\"USDT\\\\"}',
    p_window_start: '{1771079400000000}',
    p_n: '{2}',
    p_sum_close: '{-0.00000001}',
    p_sum_close_sq: '{1000000000000000000000000000000.0000000000000000}',
    p_sum_close_volume: '{-0.0000000000000005}',
    p_sum_volume: '{0.00000000}',
    p_min_close: '{-999999999999999.99999999}',
    p_max_close: '{187.20000000}',
    p_high: '{0.00000001}',
    p_low: '{1.00000000}',
    p_first_at: '{1771079400000001}',
    p_first_partition: '{2}',
    p_first_offset: '{9007199254740991}',
    p_open: '{0.00000002}',
    p_last_at: '{1771079400000002}',
    p_last_partition: '{0}',
    p_last_offset: '{0}',
    p_close: '{0.00000003}',
    p_late: '{1}',
  })
  const finer = { ...row, sumClose: 1_500_000_000_000n, sumCloseSq: 10n ** 24n, minClose: 1n }
  expect(named([finer], 12)).toMatchObject({
    p_sum_close: '{1.500000000000}',
    p_sum_close_sq: '{1.000000000000000000000000}',
    p_min_close: '{0.000000000001}',
  })
})

it('several partials become one array per parameter, in their order', () => {
  const rows = Array.from({ length: 2500 }, (_, i) => ({ ...row, symbol: `S${i}`, n: i + 1 }))
  const arrays = named(rows, 8)
  expect(arrays.p_symbol).toBe(`{${rows.map(({ symbol }) => `"${symbol}"`).join(',')}}`)
  expect(arrays.p_n).toBe(`{${rows.map(({ n }) => n).join(',')}}`)
  expect(mergeValues([], 8).every((array) => array === '{}')).toBe(true)
})

it('the statement of a merge passes each array by the name of its parameter', () => {
  const { text, values } = mergeStatement([row], { windowSeconds: 300, decimals: 8 })
  const names = [...text.matchAll(/(\w+) => \$(\d+)/g)].map(([, name, number]) => [name, Number(number)])
  expect(text).toMatch(/^SELECT kpi_merge\(/)
  expect(names).toEqual(['p_window_seconds', ...mergeParameters].map((name, i) => [name, i + 1]))
  expect(values).toEqual([300, ...mergeValues([row], 8)])
})
