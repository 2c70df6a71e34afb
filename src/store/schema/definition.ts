import { KpiError } from '../../errors.ts'
import type { Database } from '../client/connection.ts'

/** What a database holds. Rows of another definition may never be merged into it. */
export interface Definition {
  readonly clusterId: string
  readonly topic: string
  /** As UUID text. */
  readonly topicId: string
  readonly consumerGroup: string
  readonly windowSeconds: number
  readonly allowedLatenessSeconds: number
  readonly maxFutureSeconds: number
  /** Fractional digits of prices and volumes, 8 to 18. */
  readonly decimals: number
}

export const selectDefinition = `
  SELECT id, cluster_id AS "clusterId", topic, topic_id AS "topicId", consumer_group AS "consumerGroup",
    window_seconds AS "windowSeconds", allowed_lateness_seconds AS "allowedLatenessSeconds",
    max_future_seconds AS "maxFutureSeconds", decimals
  FROM kpi_definition`

/** By the names of the settings, so that an error line says what to set. */
const words: Record<keyof Definition, string> = {
  topicId: 'topic id',
  clusterId: 'Kafka cluster',
  topic: 'KAFKA_TOPIC',
  consumerGroup: 'KAFKA_GROUP',
  windowSeconds: 'WINDOW_SECONDS',
  allowedLatenessSeconds: 'ALLOWED_LATENESS_SECONDS',
  maxFutureSeconds: 'MAX_FUTURE_SECONDS',
  decimals: 'DECIMALS',
}

/** What `rebuild --all` can change, since the log stays the same. */
const rebuildable: ReadonlySet<keyof Definition> = new Set([
  'consumerGroup',
  'windowSeconds',
  'allowedLatenessSeconds',
  'maxFutureSeconds',
  'decimals',
] as const)

export interface HeldDefinition extends Definition {
  /** Under which workers commit; another one after every change. */
  readonly id: number
}

/**
 * What this database holds.
 *
 * @throws KpiError `KPI_SCHEMA_MISSING` when `init` has not run.
 */
export async function readDefinition(database: Database): Promise<HeldDefinition> {
  const [held] = await database.query<HeldDefinition>({ text: selectDefinition })
  if (held) return held
  throw new KpiError('KPI_SCHEMA_MISSING', `the database at ${database.place} is not prepared: run 'market-kpi init'`)
}

/**
 * The id under which this worker may commit.
 *
 * @throws KpiError `KPI_SCHEMA_MISSING` when `init` has not run, `KPI_TOPIC_RECREATED` when the topic has a new id,
 *   `KPI_DEFINITION_MISMATCH` naming what differs.
 */
export async function checkDefinition(database: Database, wanted: Definition): Promise<number> {
  const held = await readDefinition(database)
  assertSameDefinition(held, wanted, database.place)
  return held.id
}

/** @throws KpiError `KPI_DEFINITION_MISMATCH` when the database holds another definition than this by now. */
export async function assertStillHeld(database: Database, definitionId: number): Promise<void> {
  const { id } = await readDefinition(database)
  if (id === definitionId) return
  throw new KpiError('KPI_DEFINITION_MISMATCH', `the database at ${database.place} now holds another definition`)
}

export function assertSameDefinition(held: Definition, wanted: Definition, place: string): void {
  const names = (Object.keys(words) as (keyof Definition)[]).filter((name) => held[name] !== wanted[name])
  if (names.length === 0) return
  if (names.length === 1 && names[0] === 'topicId') {
    throw new KpiError(
      'KPI_TOPIC_RECREATED',
      `the topic '${wanted.topic}' was deleted and created again: its id is ${wanted.topicId}, the database at ${place} ` +
        `holds ${held.topicId}; 'market-kpi init --accept-new-topic' keeps the old rows apart and starts with the new topic`,
    )
  }
  const differences = names
    .filter((name) => name !== 'topicId' || names.length === 1)
    .map((name) => `${words[name]} ${held[name]} (here: ${wanted[name]})`)
  const isRebuildable = names.every((name) => rebuildable.has(name))
  const remedy = isRebuildable ? "run 'market-kpi rebuild --all' to change it" : 'use another database'
  throw new KpiError(
    'KPI_DEFINITION_MISMATCH',
    `the database at ${place} holds ${differences.join(', ')}: set it back, or ${remedy}`,
  )
}
