import { microsecondsSql } from '../client/sql-values.ts'
import { filterValues, matchesFilter, type WindowFilter } from '../windows/verify-snapshot.ts'
import { storedColumnNames } from '../windows/window-columns.ts'
import type { RebuildSession } from './session.ts'

/** The holes and cuts of all partitions, as far as they decide which windows the log holds whole. */
export interface LossBounds {
  /** A row with more messages than the log is not whole up to here; microseconds, −1 for none. */
  readonly latestUs: number
  /** One with fewer, up to here. */
  readonly likelyLatestUs: number
  readonly cuts: readonly { fromEventUs: number; toEventUs: number }[]
}

export interface PlanOptions {
  /** Windows outside it are ignored; its `fromUs` is no earlier than the floor. */
  readonly filter: WindowFilter
  readonly losses: LossBounds
  readonly windowSeconds: number
  readonly allowedLatenessSeconds: number
}

export interface PlanCounts {
  readonly changed: number
  readonly added: number
  readonly removed: number
  readonly leftAlone: number
}

export interface LeftWindow {
  readonly symbol: string
  readonly startUs: number
  /** Messages in the row, and those that the log still holds. */
  readonly inTable: number
  readonly inLog: number
}

const storedColumns = storedColumnNames.join(', ')
const isKey = (name: string) => name === 'symbol' || name === 'window_start'
const storedValues = (table: string) =>
  storedColumnNames
    .filter((name) => !isKey(name))
    .map((name) => `${table}.${name}`)
    .join(', ')

// src/kpi/log-losses.ts has the rule and its reasons. It is repeated here in SQL, since there may be millions of rows. A
// row with fewer messages than the log, or none, may have lost some itself: it is whole where no hole is likely to reach.
const isNotWhole = `
  coalesce(k.trade_count, 0) > coalesce(s.trade_count, 0) AND window_start <= kpi_instant($4)
  OR coalesce(k.trade_count, 0) < coalesce(s.trade_count, 0) AND window_start <= kpi_instant($5)
  OR EXISTS (
    SELECT FROM unnest($6::bigint[], $7::bigint[]) AS cut(from_us, to_us)
    WHERE window_start <= kpi_instant(cut.to_us)
      AND window_start + make_interval(secs => $8) > kpi_instant(cut.from_us)
  )`

/** Compares the shadow with the table, and records the changes that are needed. */
export async function planRows(session: RebuildSession, options: PlanOptions): Promise<PlanCounts> {
  const { filter, losses, windowSeconds } = options
  await keepUnknownLateCounts(session, options)
  const clamped = (us: number) => Math.min(us, Number.MAX_SAFE_INTEGER)
  await session.run(
    `INSERT INTO rebuild_plan
     SELECT symbol, window_start, coalesce(k.trade_count, 0), coalesce(s.trade_count, 0),
       CASE
         WHEN ${isNotWhole} THEN 'left alone'
         WHEN k.trade_count IS NULL THEN 'added'
         WHEN s.trade_count IS NULL THEN 'removed'
         ELSE 'changed'
       END
     FROM (SELECT * FROM public.kpi_market_prices WHERE ${matchesFilter}) AS k
     FULL JOIN (SELECT * FROM pg_temp.kpi_market_prices WHERE ${matchesFilter}) AS s USING (symbol, window_start)
     WHERE (${storedValues('k')}) IS DISTINCT FROM (${storedValues('s')})`,
    [
      ...filterValues(filter),
      clamped(losses.latestUs),
      clamped(losses.likelyLatestUs),
      losses.cuts.map(({ fromEventUs }) => fromEventUs),
      losses.cuts.map(({ toEventUs }) => toEventUs),
      windowSeconds,
    ],
  )
  const { rows } = await session.run<{ action: string; count: number }>(
    'SELECT action, count(*) AS count FROM rebuild_plan GROUP BY action',
  )
  const count = (action: string) => rows.find((row) => row.action === action)?.count ?? 0
  return {
    changed: count('changed'),
    added: count('added'),
    removed: count('removed'),
    leftAlone: count('left alone'),
  }
}

/** Behind a hole the watermark is not known, so the log no longer shows which messages were late. The row still does. */
async function keepUnknownLateCounts(session: RebuildSession, { losses, allowedLatenessSeconds }: PlanOptions) {
  if (losses.latestUs < 0) return
  await session.run(
    `UPDATE pg_temp.kpi_market_prices s SET late_count = k.late_count
     FROM public.kpi_market_prices k
     WHERE k.symbol = s.symbol AND k.window_start = s.window_start AND k.trade_count = s.trade_count
       AND k.late_count > s.late_count AND k.late_count <= s.trade_count
       AND s.window_end + make_interval(secs => $1) < kpi_instant($2)`,
    [allowedLatenessSeconds, Math.min(losses.latestUs, Number.MAX_SAFE_INTEGER)],
  )
}

/** The first windows that the log does not hold whole. */
export async function leftWindows(session: RebuildSession, limit: number): Promise<LeftWindow[]> {
  const { rows } = await session.run<LeftWindow>(
    `SELECT symbol, ${microsecondsSql('window_start')} AS "startUs", in_table AS "inTable",
       in_log AS "inLog"
     FROM rebuild_plan WHERE action = 'left alone' ORDER BY window_start, symbol LIMIT $1`,
    [limit],
  )
  return rows
}

/** Applies the plan: deletes and inserts in place, in the order of the keys. */
export async function applyPlan(session: RebuildSession): Promise<void> {
  await session.run(
    `DELETE FROM public.kpi_market_prices k USING rebuild_plan p
     WHERE k.symbol = p.symbol AND k.window_start = p.window_start AND p.action IN ('changed', 'removed')`,
  )
  await session.run(
    `INSERT INTO public.kpi_market_prices (${storedColumns})
     SELECT ${storedColumns} FROM pg_temp.kpi_market_prices JOIN rebuild_plan USING (symbol, window_start)
     WHERE action IN ('changed', 'added') ORDER BY symbol, window_start`,
  )
}

/** Messages in all rows of the table, and how many rows start before a window. */
export async function countRows(
  session: RebuildSession,
  beforeUs: number,
): Promise<{ messages: number; rowsBefore: number }> {
  const { rows } = await session.run<{ messages: number; rowsBefore: number }>(
    `SELECT coalesce(sum(trade_count), 0)::bigint AS messages,
       count(*) FILTER (WHERE window_start < kpi_instant($1)) AS "rowsBefore"
     FROM public.kpi_market_prices`,
    [beforeUs],
  )
  return rows[0] ?? { messages: 0, rowsBefore: 0 }
}

/** Statistics: a new temporary table has none, and its join with millions of rows would be planned for a thousand. */
export async function analyzeShadow(session: RebuildSession): Promise<void> {
  await session.run('ANALYZE pg_temp.kpi_market_prices')
}
