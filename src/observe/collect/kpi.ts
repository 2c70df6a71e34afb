import { assert } from '../../errors.ts'
import type { Probe } from '../../store/client/probe.ts'
import type { KpiState, SymbolState, SymbolsState } from '../snapshot.ts'

/** Up to this number rows are counted exactly; above it the number is taken from the statistics. */
const maxCounted = 1_000_000

interface Row extends Omit<KpiState, 'rows' | 'isEstimate'> {
  readonly estimatedRows: number
}

/** Reads the number of KPI rows, the size of the table and the time of the newest price. */
export async function lookAtKpi(probe: Probe): Promise<KpiState> {
  const [row] = await probe.query<Row>(aboutTable)
  assert(row, 'an aggregate has one row')
  const { estimatedRows, ...rest } = row
  if (estimatedRows >= maxCounted) return { rows: estimatedRows, isEstimate: true, ...rest }
  const [count] = await probe.query<{ rows: number }>(countRows, [maxCounted])
  assert(count, 'an aggregate has one row')
  // Statistics may lag behind a table that grew over the limit a moment ago.
  return { rows: count.rows, isEstimate: count.rows >= maxCounted, ...rest }
}

const aboutTable = `
  SELECT
    t.*,
    (extract(epoch FROM (
      SELECT max(k.last_event_at) FROM kpi_market_prices k
      WHERE k.window_start = (SELECT max(window_start) FROM kpi_market_prices)
    )) * 1000)::float8 AS "newestEventAtMs"
  FROM (
    SELECT
      sum(greatest(c.reltuples, s.n_live_tup, 0))::float8 AS "estimatedRows",
      sum(pg_table_size(c.oid))::bigint AS "tableBytes", sum(pg_indexes_size(c.oid))::bigint AS "indexBytes",
      sum(s.n_tup_hot_upd)::float8 / nullif(sum(s.n_tup_upd), 0)::float8 AS "hotUpdateRatio"
    -- One table, or the partitions of one.
    FROM pg_class c LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
    WHERE c.relkind = 'r' AND (c.oid = 'kpi_market_prices'::regclass
      OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'kpi_market_prices'::regclass))
  ) AS t`

const countRows = 'SELECT count(*) AS rows FROM (SELECT FROM kpi_market_prices LIMIT $1) AS counted'

/** More than a screen or an alert can show. */
const maxSymbols = 1000

/** Reads the newest row of each symbol, with two index lookups per symbol, however many rows there are. */
export async function lookAtSymbols(probe: Probe): Promise<SymbolsState> {
  const symbols = await probe.query<SymbolState>(newestRows, [maxSymbols + 1])
  return { symbols: symbols.slice(0, maxSymbols), isCapped: symbols.length > maxSymbols }
}

// PostgreSQL has no skip scan for DISTINCT: this is one by hand. https://wiki.postgresql.org/wiki/Loose_indexscan
const newestRows = `
  WITH RECURSIVE names AS (
    (SELECT symbol FROM kpi_market_prices ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT (SELECT k.symbol FROM kpi_market_prices k WHERE k.symbol > n.symbol ORDER BY k.symbol LIMIT 1)
    FROM names n WHERE n.symbol IS NOT NULL
  )
  SELECT n.symbol, newest.* FROM (SELECT symbol FROM names WHERE symbol IS NOT NULL LIMIT $1) AS n
  CROSS JOIN LATERAL (
    SELECT (extract(epoch FROM k.last_event_at) * 1000)::float8 AS "newestEventAtMs",
      (extract(epoch FROM k.window_start) * 1000)::float8 AS "windowStartMs", k.close_price::text AS close
    FROM kpi_market_prices k WHERE k.symbol = n.symbol ORDER BY k.window_start DESC LIMIT 1
  ) AS newest`
