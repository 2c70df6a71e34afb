import type { PartialRow } from '../../kpi/partial.ts'

/**
 * How two partials of one window become one. `key` is equal in both. `first` is taken from the partial with the earlier
 * first message, `last` from the one with the later last message, by (timestamp, partition, offset).
 */
export type MergeRule = 'key' | 'sum' | 'min' | 'max' | 'first' | 'last'

/** A column that is merged from partials. */
export type MergedColumn = {
  readonly merge: MergeRule
  /** The parameter of kpi_merge and kpi_commit that carries it: an array with one element per partial. */
  readonly parameter: string
} & (
  | { readonly type: 'text'; readonly value: (row: PartialRow) => string }
  /** `instant`: timestamptz, passed as microseconds since 1970. */
  | { readonly type: 'instant' | 'integer' | 'bigint'; readonly value: (row: PartialRow) => number }
  /** Both numeric: a price has DECIMALS fractional digits, a product twice as many. */
  | { readonly type: 'price' | 'product'; readonly value: (row: PartialRow) => bigint }
)

/** A column that the database computes: kpi_merge from the window, a generated column, or the time of the last change. */
export interface ComputedColumn {
  readonly type: 'instant' | 'price' | 'quotient'
  readonly computed: 'from window' | 'generated' | 'time of change'
}

/**
 * The columns of kpi_market_prices, those of the contract first. The table drives the parameters of kpi_merge and
 * kpi_commit, what `rebuild` compares and swaps, what `verify` compares (it computes the values with separate code) and
 * the schema check. The tests of this file compare it with the partials and with a migrated database.
 *
 * docs/architecture.md, "A KPI column", lists what else a new column needs.
 */
export const windowColumns = {
  symbol: { type: 'text', merge: 'key', parameter: 'p_symbol', value: (row) => row.symbol },
  window_start: { type: 'instant', merge: 'key', parameter: 'p_window_start', value: (row) => row.windowStartUs },
  window_end: { type: 'instant', computed: 'from window' },
  trade_count: { type: 'bigint', merge: 'sum', parameter: 'p_n', value: (row) => row.n },
  min_close: { type: 'price', merge: 'min', parameter: 'p_min_close', value: (row) => row.minClose },
  max_close: { type: 'price', merge: 'max', parameter: 'p_max_close', value: (row) => row.maxClose },
  total_volume: { type: 'price', merge: 'sum', parameter: 'p_sum_volume', value: (row) => row.sumVolume },
  open_price: { type: 'price', merge: 'first', parameter: 'p_open', value: (row) => row.first.price },
  high_price: { type: 'price', merge: 'max', parameter: 'p_high', value: (row) => row.high },
  low_price: { type: 'price', merge: 'min', parameter: 'p_low', value: (row) => row.low },
  close_price: { type: 'price', merge: 'last', parameter: 'p_close', value: (row) => row.last.price },
  first_event_at: { type: 'instant', merge: 'first', parameter: 'p_first_at', value: (row) => row.first.timestampUs },
  last_event_at: { type: 'instant', merge: 'last', parameter: 'p_last_at', value: (row) => row.last.timestampUs },
  late_count: { type: 'bigint', merge: 'sum', parameter: 'p_late', value: (row) => row.lateCount },
  avg_close: { type: 'quotient', computed: 'generated' },
  vwap: { type: 'quotient', computed: 'generated' },
  price_volatility: { type: 'price', computed: 'generated' },
  close_stddev: { type: 'quotient', computed: 'generated' },
  updated_at: { type: 'instant', computed: 'time of change' },
  sum_close: { type: 'price', merge: 'sum', parameter: 'p_sum_close', value: (row) => row.sumClose },
  sum_close_sq: { type: 'product', merge: 'sum', parameter: 'p_sum_close_sq', value: (row) => row.sumCloseSq },
  sum_close_volume: {
    type: 'product',
    merge: 'sum',
    parameter: 'p_sum_close_volume',
    value: (row) => row.sumCloseVolume,
  },
  first_partition: {
    type: 'integer',
    merge: 'first',
    parameter: 'p_first_partition',
    value: (row) => row.first.partition,
  },
  first_offset: { type: 'bigint', merge: 'first', parameter: 'p_first_offset', value: (row) => row.first.offset },
  last_partition: { type: 'integer', merge: 'last', parameter: 'p_last_partition', value: (row) => row.last.partition },
  last_offset: { type: 'bigint', merge: 'last', parameter: 'p_last_offset', value: (row) => row.last.offset },
} as const satisfies Readonly<Record<string, MergedColumn | ComputedColumn>>

export type WindowColumnName = keyof typeof windowColumns

const columns: readonly [WindowColumnName, MergedColumn | ComputedColumn][] = Object.entries(windowColumns) as [
  WindowColumnName,
  MergedColumn | ComputedColumn,
][]

export const windowColumnNames: readonly WindowColumnName[] = columns.map(([name]) => name)

/** The columns that are merged from partials, in the order of the parameters. */
export const mergedColumns: readonly MergedColumn[] = columns.flatMap(([, column]) =>
  'merge' in column ? [column] : [],
)

/** The columns that are written: all but the generated ones and the time of the last change. */
export const storedColumnNames: readonly WindowColumnName[] = columns.flatMap(([name, column]) =>
  'merge' in column || column.computed === 'from window' ? [name] : [],
)

/** The columns that follow from the messages alone, so that two computations of a row must agree on them. */
export type ComparedColumnName = Exclude<WindowColumnName, 'updated_at'>

export const comparedColumnNames = windowColumnNames.filter((name): name is ComparedColumnName => name !== 'updated_at')
