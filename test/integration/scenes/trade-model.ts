import fc from 'fast-check'
import { type Bar, mergePartials, type PartialRow, partialOf } from '../../../src/kpi/partial.ts'
import type { Database } from '../../../src/store/client/connection.ts'

/** Messages as a property test makes them, and their rows by plain BigInt arithmetic over the whole set. */
export interface ModelMessage extends Bar {
  readonly windowStartUs: number
  readonly partition: number
  readonly offset: number
  readonly isLate: boolean
}

const windowUs = 300e6
/** 2026-02-14T14:30:00Z */
const firstWindowUs = 1_771_079_400e6
const limit = 10n ** 23n - 1n

const price = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: -500_00000000n, max: 500_00000000n }) },
  { weight: 2, arbitrary: fc.bigInt({ min: -limit, max: limit }) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n, -1n, limit, -limit, 10n ** 22n, 2n ** 52n) },
)
const volume = price.map((scaled) => (scaled < 0n ? -scaled : scaled))

/** Few symbols, windows and instants, so that they meet. */
const message = fc.record({
  symbol: fc.constantFrom('AAPL', 'BRK.B', 'BTC/USDT', '^GSPC', '"\\{},'),
  window: fc.nat({ max: 2 }),
  atUs: fc.oneof(fc.constantFrom(0, 1, windowUs - 1), fc.nat({ max: 3 })),
  open: price,
  high: price,
  low: price,
  close: price,
  volume: fc.oneof(volume, fc.constant(0n)),
  partition: fc.nat({ max: 2 }),
  isLate: fc.boolean(),
})

/** Messages with places: offsets count up within a partition. */
export const messages: fc.Arbitrary<ModelMessage[]> = fc.array(message, { minLength: 1, maxLength: 60 }).map((made) => {
  const next = [0, 0, 0]
  return made.map(({ window, atUs, ...rest }) => {
    const offset = next[rest.partition] ?? 0
    next[rest.partition] = offset + 1
    const windowStartUs = firstWindowUs + window * windowUs
    return { ...rest, windowStartUs, timestampUs: windowStartUs + atUs, offset }
  })
})

/** The partials of some messages: one a symbol and window, as a batch has them. */
export function partialsOf(of: readonly ModelMessage[]): PartialRow[] {
  const partials = new Map<string, PartialRow>()
  for (const m of of) {
    const key = `${m.symbol} ${m.windowStartUs}`
    const one = partialOf(m, m)
    const before = partials.get(key)
    partials.set(key, before ? mergePartials(before, one) : one)
  }
  return [...partials.values()]
}

/** A row in the words of PostgreSQL; the derived columns apart. */
export interface ModelRow {
  readonly symbol: string
  readonly startUs: number
  readonly endUs: number
  readonly n: number
  /** At a scale of 8, or 16 for the products. */
  readonly sums: readonly string[]
  readonly prices: readonly string[]
  readonly first: readonly number[]
  readonly last: readonly number[]
  readonly late: number
}

export function modelRows(all: readonly ModelMessage[]): ModelRow[] {
  const groups = Map.groupBy(all, (m) => `${m.symbol} ${m.windowStartUs}`)
  return [...groups.values()].map(modelRow).sort(byKey)
}

function modelRow(group: readonly ModelMessage[]): ModelRow {
  const ordered = [...group].sort(
    (a, b) => a.timestampUs - b.timestampUs || a.partition - b.partition || a.offset - b.offset,
  )
  const first = ordered[0]
  const last = ordered.at(-1)
  if (!first || !last) throw new Error('a group is never empty')
  const sum = (of: (m: ModelMessage) => bigint) => group.reduce((total, m) => total + of(m), 0n)
  const extreme = (of: (m: ModelMessage) => bigint, at: 0 | -1) => group.map(of).sort(ascending).at(at) ?? 0n
  const least = (of: (m: ModelMessage) => bigint) => extreme(of, 0)
  const most = (of: (m: ModelMessage) => bigint) => extreme(of, -1)
  return {
    symbol: first.symbol,
    startUs: first.windowStartUs,
    endUs: first.windowStartUs + windowUs,
    n: group.length,
    sums: [
      decimal(
        sum((m) => m.close),
        8,
      ),
      decimal(
        sum((m) => m.close * m.close),
        16,
      ),
      decimal(
        sum((m) => m.close * m.volume),
        16,
      ),
      decimal(
        sum((m) => m.volume),
        8,
      ),
    ],
    prices: [
      least((m) => m.close),
      most((m) => m.close),
      first.open,
      most((m) => m.high),
      least((m) => m.low),
      last.close,
      most((m) => m.close) - least((m) => m.close),
    ].map((scaled) => decimal(scaled, 8)),
    first: [first.timestampUs, first.partition, first.offset],
    last: [last.timestampUs, last.partition, last.offset],
    late: group.filter((m) => m.isLate).length,
  }
}

function ascending(a: bigint, b: bigint): number {
  return Number(a > b) - Number(a < b)
}

/** Plain text of value · 10^-scale. */
function decimal(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

export interface TableRow extends ModelRow {
  readonly avg: string
  readonly vwap: string | null
  readonly stddev: string
}

export async function tableRows(database: Database): Promise<TableRow[]> {
  const us = (column: string) => `(extract(epoch FROM ${column}) * 1000000)::bigint`
  const rows = await database.query<TableRow>({
    text: `SELECT symbol, ${us('window_start')} AS "startUs", ${us('window_end')} AS "endUs", trade_count AS n,
        ARRAY[sum_close, sum_close_sq, sum_close_volume, total_volume]::text[] AS sums,
        ARRAY[min_close, max_close, open_price, high_price, low_price, close_price, price_volatility]::text[] AS prices,
        to_json(ARRAY[${us('first_event_at')}, first_partition, first_offset]) AS first,
        to_json(ARRAY[${us('last_event_at')}, last_partition, last_offset]) AS last,
        late_count AS late, avg_close::text AS avg, vwap::text AS vwap, close_stddev::text AS stddev
      FROM kpi_market_prices`,
  })
  return rows.sort(byKey)
}

function byKey(a: ModelRow, b: ModelRow): number {
  return a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.startUs - b.startUs
}

/** What is wrong with the derived columns of a row, by exact comparison with its sums; empty when nothing is. */
export function derivedFaults(row: TableRow): string[] {
  const [sum = 0n, sumSq = 0n, sumCv = 0n, volume = 0n] = row.sums.map((text) => fraction(text).digits)
  const n = BigInt(row.n)
  const faults: string[] = []
  if (!isQuotient(row.avg, sum, n * 10n ** 8n)) faults.push(`avg_close ${row.avg}`)
  if (volume === 0n ? row.vwap !== null : !isQuotient(row.vwap ?? '', sumCv, volume * 10n ** 8n)) {
    faults.push(`vwap ${row.vwap}`)
  }
  // n·Σc² − (Σc)², scaled by 10^16; the column is its root over n.
  const spread = n * sumSq - sum * sum
  const { digits, scale } = fraction(row.stddev)
  const squared = (digits * n) ** 2n * 10n ** 16n
  const wanted = spread * 10n ** BigInt(2 * scale)
  if (digits < 0n || !isClose(squared, wanted)) faults.push(`close_stddev ${row.stddev}`)
  return faults
}

/** 12 significant digits, and a root doubles the error. */
function isClose(a: bigint, b: bigint): boolean {
  const difference = a > b ? a - b : b - a
  return difference * 10n ** 11n * 3n <= (b < 0n ? -b : b)
}

function isQuotient(text: string, numerator: bigint, denominator: bigint): boolean {
  const { digits, scale } = fraction(text)
  return isClose(digits * denominator, numerator * 10n ** BigInt(scale))
}

function fraction(text: string): { digits: bigint; scale: number } {
  const [whole = '', decimals = ''] = text.split('.')
  return { digits: BigInt(whole + decimals), scale: decimals.length }
}
