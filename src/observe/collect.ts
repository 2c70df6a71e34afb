import type { KafkaOptions } from '../kafka/client/options.ts'
import type { PostgresOptions } from '../store/client/connection.ts'
import { collectKafka } from './collect/kafka.ts'
import { collectPostgres } from './collect/postgres.ts'
import { type Asked, type PipelineSnapshot, snapshotVersion } from './snapshot.ts'

export interface CollectOptions {
  readonly kafka: KafkaOptions
  readonly postgres: PostgresOptions
  readonly asked: Asked
  /** For each source. @defaultValue 3000 */
  readonly timeoutMs?: number
}

/** For requesting the timestamps of waiting records, which is possible only once the positions are known. */
const timesTimeoutMs = 700

/**
 * Takes one snapshot of the whole pipeline. It queries all sources in parallel, over connections of its own, and
 * returns within the timeout plus 0.7 s, even if a server hangs. An unreachable source is a state in the snapshot,
 * never an error.
 *
 * @param now - Wall clock in milliseconds since 1970.
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
