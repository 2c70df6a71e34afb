import { fitsPattern } from '../../config/symbol-pattern.ts'
import type { KpiCondition, UserRule } from '../../config/user-rules.ts'
import type { ReadOnlyQuery } from '../../store/client/read-only-session.ts'
import type { Signal } from '../signal.ts'
import { maxAlertsOfRule } from './sql-rule.ts'
import { figure, filledIn } from './summary.ts'

/** Measures that can be positive or negative; their absolute value is compared with the limits. */
const hasDirection: Record<KpiCondition['measure'], boolean> = {
  close_change_percent: true,
  volume: false,
  volatility_percent: false,
  trade_count: false,
  vwap_distance_percent: true,
}

const units: Record<KpiCondition['measure'], string> = {
  close_change_percent: 'percent',
  volume: 'units',
  volatility_percent: 'percent',
  trade_count: 'messages',
  vwap_distance_percent: 'percent',
}

/**
 * The SQL of each measure, calculated per symbol over the windows that end within the period, so it includes up to one
 * window from before it. Symbols without a window in the period are left out; a measure that would divide by zero is
 * null.
 */
const measured: Record<KpiCondition['measure'], string> = {
  close_change_percent: `100 * (last_close - first_open) / nullif(abs(first_open), 0)`,
  volume: 'volume',
  volatility_percent: '100 * (highest - lowest) / nullif(abs(lowest), 0)',
  trade_count: 'trades',
  vwap_distance_percent:
    '100 * (last_close - turnover / nullif(volume, 0)) / nullif(abs(turnover / nullif(volume, 0)), 0)',
}

export async function judgeKpi(
  rule: UserRule & { readonly kpi: KpiCondition },
  query: ReadOnlyQuery,
  { nowMs, windowSeconds }: { readonly nowMs: number; readonly windowSeconds: number },
): Promise<Signal[]> {
  const { measure, within, symbols } = rule.kpi
  const since = new Date(nowMs - within)
  // The start of a window is indexed, its end is not.
  const startsAfter = new Date(since.getTime() - windowSeconds * 1000)
  const rows = await query(
    `SELECT symbol, (${measured[measure]})::float8 AS value FROM (
       SELECT symbol,
         (array_agg(open_price ORDER BY window_start))[1] AS first_open,
         (array_agg(close_price ORDER BY window_start DESC))[1] AS last_close,
         max(max_close) AS highest, min(min_close) AS lowest, sum(total_volume) AS volume,
         sum(sum_close_volume) AS turnover, sum(trade_count) AS trades
       FROM kpi_market_prices WHERE window_start > $1 AND window_end > $2 AND window_start <= $3 GROUP BY symbol
     ) AS by_symbol ORDER BY symbol`,
    [startsAfter, since, new Date(nowMs)],
  )
  return rows
    .flatMap((row) => {
      const { symbol, value } = row as { symbol: string; value: number | null }
      return value !== null && fitsPattern(symbols, symbol) && isBeyond(rule.kpi, value) ? [{ symbol, value }] : []
    })
    .slice(0, maxAlertsOfRule)
    .map(({ symbol, value }) => alertOf(rule, symbol, value))
}

function isBeyond({ measure, above, below }: KpiCondition, value: number): boolean {
  const size = hasDirection[measure] ? Math.abs(value) : value
  return above !== undefined ? size > above : below !== undefined && size < below
}

function alertOf(rule: UserRule & { readonly kpi: KpiCondition }, symbol: string, value: number): Signal {
  const { name, severity, kpi } = rule
  const labels = { symbol, ...rule.labels }
  const template = rule.summary ?? `${kpi.measure} of {symbol} is {value}`
  const summary = filledIn(template, { ...labels, value: figure(value) })
  const unit = units[kpi.measure]
  return { rule: name, severity, stage: 'kpi', labels, summary, value, unit, isUnknown: false, inhibitedBy: null }
}
