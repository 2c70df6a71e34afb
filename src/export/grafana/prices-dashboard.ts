import { PanelBuilder as CandlesBuilder } from '@grafana/grafana-foundation-sdk/candlestick'
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { colours, type PanelLimits } from './colours.ts'
import { lettered, postgresSource, sql } from './data-sources.ts'
import { dashboardOf, type Section } from './layout.ts'
import { graph, stat, table } from './panels.ts'

/** The dashboard of market data: candles, VWAP, volume, movers. It reads from PostgreSQL with a read-only role. */
export function pricesDashboard(limits: PanelLimits): DashboardBuilder {
  const symbol = new QueryVariableBuilder('symbol')
    .label('Symbol')
    .datasource(postgresSource)
    .query(symbolNames)
    .refresh(VariableRefresh.OnDashboardLoad)
  const alerts = new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(postgresSource)
    .enable(true)
    .iconColor(colours.critical)
    .target(sql(firedAlerts))
  const board = new DashboardBuilder('market-kpi: market KPIs')
    .uid('market-kpi-prices')
    .description('Candles, VWAP, volume and movers, from the rows of kpi_market_prices.')
    .tags(['market-kpi'])
    .readonly()
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .withVariable(symbol)
    .annotation(alerts)
  return dashboardOf(board, [symbolSection(limits), marketSection()])
}

/** Lists the symbols with one index lookup per symbol, however many rows there are. */
const symbolNames = `WITH RECURSIVE names AS (
  (SELECT symbol FROM kpi_market_prices ORDER BY symbol LIMIT 1)
  UNION ALL
  SELECT (SELECT k.symbol FROM kpi_market_prices k WHERE k.symbol > n.symbol ORDER BY k.symbol LIMIT 1)
  FROM names n WHERE n.symbol IS NOT NULL
)
SELECT symbol FROM names WHERE symbol IS NOT NULL`

const firedAlerts = `SELECT
  fired_at AS time, resolved_at AS timeend, rule || ': ' || summary AS text, rule || ',' || severity AS tags
FROM alerts
WHERE severity <> 'info' AND $__timeFilter(fired_at)
ORDER BY fired_at DESC LIMIT 500`

/** Selects the rows of the chosen symbol in the displayed time range. Grafana quotes \${…:sqlstring}. */
function rows(columns: string): string {
  return `SELECT window_start AS time, ${columns}
FROM kpi_market_prices
WHERE symbol = \${symbol:sqlstring} AND $__timeFilter(window_start)
ORDER BY window_start`
}

function symbolSection(limits: PanelLimits): Section {
  const newest = `SELECT now() AS time, extract(epoch FROM now() - max(last_event_at))::float8 AS age
FROM kpi_market_prices WHERE symbol = \${symbol:sqlstring}`
  const candles = new CandlesBuilder()
    .title('Candles of $symbol')
    .description('Open, high, low and close of each window, with its volume.')
    .span(24)
    .height(12)
    .targets(
      lettered([
        sql(
          rows(
            'open_price::float8 AS open, high_price::float8 AS high, low_price::float8 AS low, close_price::float8 AS close, total_volume::float8 AS volume',
          ),
        ),
      ]),
    )
  const counts = `SELECT sum(trade_count)::float8 AS messages
FROM kpi_market_prices WHERE symbol = \${symbol:sqlstring} AND $__timeFilter(window_start)`
  return {
    title: '$symbol',
    panels: [
      stat({
        title: 'Newest price',
        about: 'How old the newest price of the symbol is.',
        width: 12,
        unit: 's',
        queries: [sql(newest)],
        limits: limits.freshness,
      }),
      stat({
        title: 'Messages',
        about: 'Merged into the windows shown.',
        width: 12,
        queries: [sql(counts)],
      }),
      candles,
      ...symbolCurves(),
    ],
  }
}

function symbolCurves() {
  return [
    graph({
      title: 'VWAP of $symbol',
      fromZero: false,
      about: 'Volume-weighted average price, the plain average, and the range of closes.',
      width: 12,
      queries: [
        sql(
          rows(
            'vwap::float8 AS "VWAP", avg_close::float8 AS "average", min_close::float8 AS "lowest", max_close::float8 AS "highest"',
          ),
        ),
      ],
    }),
    graph({
      title: 'Volume of $symbol',
      about: 'Of each window.',
      width: 12,
      queries: [sql(rows('total_volume::float8 AS "volume"'))],
    }),
    graph({
      title: 'Volatility of $symbol',
      about: 'Highest less lowest close of each window, and the standard deviation of its closes.',
      width: 12,
      queries: [sql(rows('price_volatility::float8 AS "range", close_stddev::float8 AS "standard deviation"'))],
    }),
    table({
      title: 'Windows of $symbol',
      about: 'closed: final. forming: more may come. incomplete: messages of it were lost.',
      width: 12,
      height: 8,
      queries: [
        sql(`SELECT window_start AS "Window", window_state AS "State", close_price::float8 AS "Close",
  vwap::float8 AS "VWAP", trade_count AS "Messages", late_count AS "Late"
FROM kpi_windows
WHERE symbol = \${symbol:sqlstring} AND $__timeFilter(window_start)
ORDER BY window_start DESC LIMIT 100`),
      ],
    }),
  ]
}

const movers = `SELECT symbol AS "Symbol", last_close::float8 AS "Close",
  (100 * (last_close - first_open) / abs(first_open))::float8 AS "Change %", volume::float8 AS "Volume",
  messages AS "Messages"
FROM (
  SELECT symbol, (array_agg(open_price ORDER BY window_start))[1] AS first_open,
    (array_agg(close_price ORDER BY window_start DESC))[1] AS last_close,
    sum(total_volume) AS volume, sum(trade_count)::bigint AS messages
  FROM kpi_market_prices WHERE $__timeFilter(window_start) GROUP BY symbol
) AS moved
WHERE first_open <> 0
ORDER BY abs((last_close - first_open) / first_open) DESC LIMIT 20`

const volumeBySymbol = `SELECT $__timeGroupAlias(window_start, $__interval), symbol AS metric, sum(total_volume)::float8 AS value
FROM kpi_market_prices
WHERE $__timeFilter(window_start) AND symbol IN (
  SELECT symbol FROM kpi_market_prices WHERE $__timeFilter(window_start)
  GROUP BY symbol ORDER BY sum(total_volume) DESC LIMIT 10
)
GROUP BY 1, 2 ORDER BY 1`

const rejected = `SELECT $__timeGroupAlias(received_at, $__interval), reason AS metric, count(*)::float8 AS value
FROM dead_letters WHERE $__timeFilter(received_at) GROUP BY 1, 2 ORDER BY 1`

const openAlerts = `SELECT state AS "State", severity AS "Severity", rule AS "Alert", summary AS "What",
  coalesce(fired_at, started_at) AS "Since", resolved_at AS "Resolved"
FROM alerts WHERE severity <> 'info' AND (state <> 'resolved' OR $__timeFilter(resolved_at))
ORDER BY state = 'resolved', coalesce(fired_at, started_at) DESC LIMIT 100`

function marketSection(): Section {
  return {
    title: 'All symbols',
    panels: [
      table({
        title: 'Movers',
        about: 'The twenty that moved most within the time shown.',
        width: 12,
        queries: [sql(movers)],
      }),
      graph({
        title: 'Volume of the ten largest',
        about: 'Of the symbols with the largest volume within the time shown.',
        width: 12,
        height: 9,
        queries: [sql(volumeBySymbol, 'time_series')],
      }),
      graph({
        title: 'Rejected messages',
        about: 'By reason; `market-kpi dead-letters list` shows them.',
        width: 12,
        queries: [sql(rejected, 'time_series')],
      }),
      table({
        title: 'Alerts',
        about: 'Those that are open, and those that ended within the time shown.',
        width: 12,
        height: 8,
        queries: [sql(openAlerts)],
      }),
    ],
  }
}
