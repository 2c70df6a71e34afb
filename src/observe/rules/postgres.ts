import type { Measures } from '../measures.ts'
import type { HeldState, PipelineSnapshot } from '../snapshot.ts'
import { beyond, cannotJudge, found, percentText, type Rule, trailingObservations, waitText } from './rule.ts'

/** R5: the database does not answer, refuses the connection, or accepts no writes. */
export const postgresUnreachable: Rule = ({ snapshot }) => {
  const { server } = snapshot.postgres
  if (server.state === 'unknown') return [found('PostgresUnreachable', 'critical', server.reason)]
  if (!server.isStandby) return []
  return [found('PostgresUnreachable', 'critical', 'the database is a standby: it can be read, and accepts no writes')]
}

/** R6: the schema or the stored settings do not match this version of market-kpi and its settings. */
export const schemaInvalid: Rule = ({ snapshot }) => {
  const { schema } = snapshot.postgres
  if (schema.state === 'unknown') return [cannotJudge('SchemaInvalid', schema.reason, 'warning')]
  const { missingMigrations, newerMigrations, missingParts, definition } = schema
  const init = "run 'market-kpi init'"
  if (missingMigrations.length > 0) {
    return [found('SchemaInvalid', 'critical', `not applied: ${missingMigrations.join(', ')}: ${init}`)]
  }
  if (missingParts.length > 0) {
    const shown = missingParts.slice(0, 5).join(', ')
    const more = missingParts.length > 5 ? ` and ${missingParts.length - 5} more` : ''
    return [found('SchemaInvalid', 'critical', `missing: ${shown}${more}`)]
  }
  if (!definition) return [found('SchemaInvalid', 'critical', `the database is prepared for no topic yet: ${init}`)]
  if (newerMigrations.length > 0) {
    const summary = `the schema is newer than this market-kpi (${newerMigrations.join(', ')}): upgrade`
    return [found('SchemaInvalid', 'warning', summary)]
  }
  const differences = schemaDifferences(definition, snapshot.asked)
  if (differences.length === 0) return []
  return [found('SchemaInvalid', 'warning', `the database has ${differences.join(', ')}`)]
}

/** Settings whose value in the database differs, as text. */
export function schemaDifferences(held: HeldState, asked: PipelineSnapshot['asked']): string[] {
  const pairs = [
    ['KAFKA_TOPIC', held.topic, asked.topic],
    ['KAFKA_GROUP', held.group, asked.group],
    ['WINDOW_SECONDS', held.windowSeconds, asked.windowSeconds],
    ['DECIMALS', held.decimals, asked.decimals],
  ] as const
  return pairs.flatMap(([name, theirs, ours]) => (theirs === ours ? [] : [`${name} ${theirs} (here: ${ours})`]))
}

/** R15: workers wait for database connections. */
export const poolSaturated: Rule = ({ observations, thresholds, measures }) => {
  const { poolPressurePercent: pressure, poolWaitPercent: waited } = measures
  if (pressure.state === 'unknown') return [cannotJudge('PoolSaturated', pressure.reason)]
  const { warningPercent: warning, criticalPercent: critical, criticalSeconds } = thresholds.pool
  const severity = beyond(pressure.value, { warning, critical })
  if (!severity) return []
  const full = trailingObservations(observations, (look) => (look.poolPressurePercent ?? 0) > critical)
  const isLong = severity === 'critical' && full.spanMs >= criticalSeconds * 1000
  const isWaiting = waited.state === 'ok' && waited.value >= pressure.value
  const summary = isWaiting
    ? `queries wait for a database connection ${percentText(pressure.value)} of the time${longest(measures)}`
    : `${percentText(pressure.value)} of a worker's database connections are in use, and queries wait for one`
  return [found('PoolSaturated', isLong ? 'critical' : 'warning', summary, { value: pressure.value, unit: 'percent' })]
}

function longest({ poolWaitMs }: Measures): string {
  return poolWaitMs.state === 'ok' ? `, for ${waitText(poolWaitMs.value)} at the longest` : ''
}
