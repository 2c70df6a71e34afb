import pg from 'pg'
import { KpiError } from '../../errors.ts'
import type { PostgresOptions } from '../client/connection.ts'
import { withProbe } from '../client/probe.ts'

/** The totals of one symbol's rows, over the newest part of the table. Numbers are exact decimal text. */
export interface SymbolStatistics {
  readonly symbol: string
  /** Rows, which is windows. */
  readonly windows: number
  readonly messages: number
  /** Of all messages in those windows, rounded to as many digits as prices have. */
  readonly avgPrice: string
  readonly minPrice: string
  readonly maxPrice: string
  readonly totalVolume: string
  /** Of the earliest window. */
  readonly firstOpen: string
  readonly latestClose: string
  readonly lastEventAtMs: number
  readonly updatedAtMs: number
}

export interface StatisticsObservation {
  /** By symbol. */
  readonly symbols: readonly SymbolStatistics[]
  /** There are more symbols than were asked for. */
  readonly isCapped: boolean
  /** How far back from the newest window the rows reach. */
  readonly spanSeconds: number
  readonly tookMs: number
}

/** As many symbols as one pipeline is made for. */
const maxSymbols = 20_000
/**
 * The spans that are tried, the longest first: a day of 500 symbols is 144,000 rows, and a database that cannot sum its
 * rows up within the limit is asked for fewer from then on.
 */
const spansSeconds = [86_400, 14_400, 3_600, 900] as const
const statementTimeoutMs = 2000
const queryCanceled = '57014'
const limits = { connectTimeoutMs: 2500, statementTimeoutMs, applicationName: 'market-kpi monitor' }

/** Sums up the newest rows of every symbol. Each read opens a connection, so that a monitor holds none in between. */
export class SymbolStatisticsReader {
  readonly #options: PostgresOptions
  #spanIndex = 0

  constructor(options: PostgresOptions) {
    this.#options = options
  }

  /**
   * @param signal - Gives up at once when it is aborted.
   * @throws KpiError, or the signal's reason.
   */
  async read(signal: AbortSignal): Promise<StatisticsObservation> {
    for (;;) {
      const spanSeconds = spansSeconds[this.#spanIndex] ?? spansSeconds[0]
      try {
        return await this.#readSpan(spanSeconds, signal)
      } catch (error) {
        if (!isTimeout(error) || this.#spanIndex === spansSeconds.length - 1) throw error
        this.#spanIndex += 1
      }
    }
  }

  async #readSpan(spanSeconds: number, signal: AbortSignal): Promise<StatisticsObservation> {
    const startMs = performance.now()
    const symbols = await withProbe(this.#options, limits, signal, (probe) =>
      probe.query<SymbolStatistics>(statistics, [spanSeconds, maxSymbols + 1]),
    )
    const tookMs = performance.now() - startMs
    return { symbols: symbols.slice(0, maxSymbols), isCapped: symbols.length > maxSymbols, spanSeconds, tookMs }
  }
}

/** Only the server's own time-out counts; a server that does not answer does not show that the span was too long. */
function isTimeout(error: unknown): boolean {
  const cause = error instanceof KpiError ? error.cause : undefined
  return cause instanceof pg.DatabaseError && cause.code === queryCanceled
}

// Counted back from the newest window, not from now: rows of a replayed file are as interesting. The first open and the
// last close are two index look-ups a symbol, which is cheaper than sorting all rows within the aggregate.
const statistics = `
  WITH summed AS (
    SELECT symbol, count(*)::float8 AS windows, sum(trade_count)::float8 AS messages, sum(sum_close) AS sum_close,
      min(min_close) AS min_close, max(max_close) AS max_close, sum(total_volume) AS total_volume,
      min(window_start) AS first_window, max(window_start) AS last_window,
      max(last_event_at) AS last_event_at, max(updated_at) AS updated_at
    FROM kpi_market_prices
    WHERE window_start > (SELECT max(window_start) FROM kpi_market_prices) - make_interval(secs => $1)
    GROUP BY symbol ORDER BY symbol LIMIT $2
  )
  SELECT s.symbol, s.windows, s.messages, trim_scale(round(s.sum_close / s.messages::numeric, scale(s.min_close)))::text AS "avgPrice",
    trim_scale(s.min_close)::text AS "minPrice", trim_scale(s.max_close)::text AS "maxPrice",
    trim_scale(s.total_volume)::text AS "totalVolume", trim_scale(f.open_price)::text AS "firstOpen",
    trim_scale(l.close_price)::text AS "latestClose",
    (extract(epoch FROM s.last_event_at) * 1000)::float8 AS "lastEventAtMs",
    (extract(epoch FROM s.updated_at) * 1000)::float8 AS "updatedAtMs"
  FROM summed s
  JOIN kpi_market_prices f ON f.symbol = s.symbol AND f.window_start = s.first_window
  JOIN kpi_market_prices l ON l.symbol = s.symbol AND l.window_start = s.last_window
  ORDER BY s.symbol`
