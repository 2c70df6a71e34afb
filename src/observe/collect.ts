import type { KafkaOptions } from '../kafka/client/options.ts'
import type { PostgresOptions } from '../store/client/connection.ts'
import { collectKafka } from './collect/kafka.ts'
import { collectPostgres } from './collect/postgres.ts'
import { type Asked, type PipelineSnapshot, snapshotVersion } from './snapshot.ts'

export interface CollectOptions {
  readonly kafka: KafkaOptions
  readonly postgres: PostgresOptions
  readonly asked: Asked
  /** Of each source. @defaultValue 3000 */
  readonly timeoutMs?: number
}

/** For the times of records that wait, which can be asked once the positions are known. */
const timesTimeoutMs = 700

/**
 * One look at the whole pipeline, at all sources at once, over connections of its own. Ends within the timeout and
 * another 0.7 s, whatever is dead, frozen or silent; an unreachable source is a state of the snapshot, never an error.
 *
 * @param now - Wall clock in milliseconds.
 */
export async function collect(options: CollectOptions, now: () => number = Date.now): Promise<PipelineSnapshot> {
  const { asked, timeoutMs = 3000 } = options
  const takenAtMs = now()
  const startMs = performance.now()
  const database = collectPostgres(options.postgres, asked, timeoutMs)
  const [kafka, postgres] = await Promise.all([
    collectKafka(options.kafka, asked, database.positions, { timeoutMs, timesTimeoutMs }),
    database.sources,
  ])
  return { version: snapshotVersion, takenAtMs, tookMs: performance.now() - startMs, asked, kafka, postgres }
}
