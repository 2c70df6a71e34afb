import type { SymbolStatistics } from '../store/windows/symbol-statistics.ts'

/** One symbol as the table shows it. */
export interface SymbolRow extends SymbolStatistics {
  /** The change from the first open to the latest close; null if the open is 0. */
  readonly changePercent: number | null
}

export const sortKeys = ['symbol', 'close', 'change', 'windows', 'avg', 'min', 'max', 'volume', 'updated'] as const
export type SortKey = (typeof sortKeys)[number]

export interface Sort {
  readonly key: SortKey
  readonly isDescending: boolean
}

/** Numbers are sorted with the largest first, names from A to Z. */
export function firstSort(key: SortKey): Sort {
  return { key, isDescending: key !== 'symbol' }
}

const values: Readonly<Record<Exclude<SortKey, 'symbol'>, (row: SymbolRow) => number>> = {
  close: (row) => Number(row.latestClose),
  change: (row) => row.changePercent ?? Number.NEGATIVE_INFINITY,
  windows: (row) => row.windows,
  avg: (row) => Number(row.avgPrice),
  min: (row) => Number(row.minPrice),
  max: (row) => Number(row.maxPrice),
  volume: (row) => Number(row.totalVolume),
  updated: (row) => row.lastEventAtMs,
}

/** Sorts the symbols that contain the filter text (ignoring case). Symbols with equal values are sorted by name. */
export function symbolRows(symbols: readonly SymbolStatistics[], filter: string, sort: Sort): SymbolRow[] {
  const wanted = filter.toLowerCase()
  const found = symbols.filter(({ symbol }) => symbol.toLowerCase().includes(wanted)).map(rowOf)
  const { key } = sort
  const sign = sort.isDescending ? -1 : 1
  if (key === 'symbol') return found.sort((a, b) => sign * byName(a, b))
  // Numbers are parsed once, not at every comparison.
  const keyed = found.map((row) => ({ row, value: values[key](row) }))
  return keyed.sort((a, b) => sign * compare(a.value, b.value) || byName(a.row, b.row)).map(({ row }) => row)
}

function rowOf(symbol: SymbolStatistics): SymbolRow {
  const open = Number(symbol.firstOpen)
  const close = Number(symbol.latestClose)
  return { ...symbol, changePercent: open === 0 ? null : ((close - open) / Math.abs(open)) * 100 }
}

function byName(a: SymbolRow, b: SymbolRow): number {
  return a.symbol < b.symbol ? -1 : Number(a.symbol > b.symbol)
}

/** Compares without a difference, which is NaN for two infinities. */
function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b)
}
