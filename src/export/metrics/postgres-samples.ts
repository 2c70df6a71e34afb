import type { Thresholds } from '../../config/thresholds.ts'
import { openSinceMs } from '../../config/trading-hours.ts'
import { rejectReasons } from '../../kpi/decode/reject-reason.ts'
import type { Sample } from '../../metrics/pipeline-metrics.ts'
import { schemaDifferences } from '../../observe/rules/postgres.ts'
import type { PipelineSnapshot } from '../../observe/snapshot.ts'
import { instant, sample } from './sample.ts'

/** Each symbol has two series, so their number is limited. */
export const maxSymbolSeries = 200

/** Samples of the server, the schema and the tables. */
export function postgresSamples(snapshot: PipelineSnapshot): Sample[] {
  const { server, positions, kpi } = snapshot.postgres
  return [
    ...(server.state === 'ok'
      ? [
          ...sample('market_kpi_postgres_latency_seconds', server.latencyMs / 1000),
          ...sample('market_kpi_postgres_clock_ahead_seconds', server.clockAheadMs / 1000),
          ...sample('market_kpi_postgres_connections', server.connectionsUsed),
          ...sample('market_kpi_postgres_connections_max', server.connectionsMax),
        ]
      : []),
    ...schemaSamples(snapshot),
    ...(positions.state === 'ok'
      ? [
          ...sample('market_kpi_messages_merged_total', positions.merged),
          ...sample('market_kpi_messages_rejected_total', positions.rejected),
        ]
      : []),
    ...letterSamples(snapshot),
    ...(kpi.state === 'ok'
      ? [
          ...sample('market_kpi_table_rows', kpi.rows),
          ...sample('market_kpi_table_bytes', kpi.tableBytes),
          ...sample('market_kpi_index_bytes', kpi.indexBytes),
          ...sample('market_kpi_hot_update_ratio', kpi.hotUpdateRatio),
          ...instant('market_kpi_newest_price_timestamp_seconds', kpi.newestEventAtMs),
        ]
      : []),
  ]
}

function schemaSamples({ postgres: { schema }, asked }: PipelineSnapshot): Sample[] {
  if (schema.state === 'unknown') return []
  const { missingMigrations, missingParts, newerMigrations, definition } = schema
  const missing = missingMigrations.length + missingParts.length + Number(definition === null)
  const differences = newerMigrations.length + (definition ? schemaDifferences(definition, asked).length : 0)
  return [...sample('market_kpi_schema_missing', missing), ...sample('market_kpi_schema_differences', differences)]
}

/** Every reason always has a sample, so that its first message counts as an increase from 0. */
function letterSamples({ postgres: { deadLetters } }: PipelineSnapshot): Sample[] {
  if (deadLetters.state === 'unknown') return []
  const { recentByReason } = deadLetters
  return [...new Set([...rejectReasons, ...Object.keys(recentByReason)])].flatMap((reason) =>
    sample('market_kpi_dead_letters_recent', recentByReason[reason] ?? 0, { reason }),
  )
}

/**
 * Only the first symbols by name have series, so that they are the same at each scrape. The others are only counted.
 */
export function symbolSamples(
  { postgres: { symbols }, takenAtMs }: PipelineSnapshot,
  thresholds: Thresholds,
): Sample[] {
  if (symbols.state === 'unknown') return []
  const shown = symbols.symbols.slice(0, maxSymbolSeries)
  return [
    ...sample('market_kpi_symbols', symbols.symbols.length),
    ...sample('market_kpi_symbols_left_out', symbols.symbols.length - shown.length),
    ...shown.flatMap(({ symbol, newestEventAtMs }) => {
      const openedAtMs = openSinceMs(thresholds.tradingHours, symbol, takenAtMs)
      const since = openedAtMs === undefined ? null : Math.max(0, openedAtMs)
      return [
        ...instant('market_kpi_symbol_newest_price_timestamp_seconds', newestEventAtMs, { symbol }),
        ...instant('market_kpi_symbol_market_open_since_timestamp_seconds', since, { symbol }),
      ]
    }),
  ]
}
