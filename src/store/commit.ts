import type { PartialRow } from '../kpi/reducer.ts'
import type { Database } from './connection.ts'
import { byteaArray, numberArray, partialColumns, textArray } from './partial-columns.ts'

/** How far one partition moves in a batch: next - expected = merged + rejected + withoutMessage. */
export interface PartitionAdvance {
  readonly partition: number
  readonly expectedOffset: number
  readonly nextOffset: number
  /** Highest accepted event time, microseconds; -1 for none. */
  readonly watermarkUs: number
  readonly merged: number
  readonly rejected: number
  /** Offsets that hold no message: compacted away, control records, aborted transactions. */
  readonly withoutMessage: number
}

/** A rejected message, on its way to `dead_letters`. */
export interface DeadLetter {
  readonly partition: number
  readonly offset: number
  readonly reason: string
  readonly detail: string
  /** Null when the record has no value, or when its bytes are left out in a flood. */
  readonly payload: Uint8Array | null
  readonly key: Uint8Array | null
  /** The record's Kafka timestamp, milliseconds; null when it has none that PostgreSQL could hold. */
  readonly timestampMs: number | null
}

export interface Batch {
  readonly definitionId: number
  readonly group: string
  readonly topic: string
  readonly advances: readonly PartitionAdvance[]
  readonly rows: readonly PartialRow[]
  readonly letters: readonly DeadLetter[]
}

const parameterCount = 37
const statement = {
  name: 'kpi-commit',
  text: `SELECT kpi_commit(${Array.from({ length: parameterCount }, (_, i) => `$${i + 1}`).join(', ')})`,
}

/**
 * Commits one batch in one round trip: fence, check, advance, merge, quarantine (migrations/0002_commit.sql).
 *
 * @throws KpiError `KPI_POSITION_MOVED` when another worker has committed for one of the partitions: nothing of this
 *   batch is kept, and the positions are to be read again. Errors that are retryable may have committed all the same;
 *   committing the same batch again is safe, since it then fails with `KPI_POSITION_MOVED`.
 */
export async function commitBatch(database: Database, batch: Batch): Promise<void> {
  const { advances, letters } = batch
  await database.query({
    ...statement,
    values: [
      batch.definitionId,
      batch.group,
      batch.topic,
      numberArray(advances.map((a) => a.partition)),
      numberArray(advances.map((a) => a.expectedOffset)),
      numberArray(advances.map((a) => a.nextOffset)),
      numberArray(advances.map((a) => a.watermarkUs)),
      numberArray(advances.map((a) => a.merged)),
      numberArray(advances.map((a) => a.rejected)),
      numberArray(advances.map((a) => a.withoutMessage)),
      ...partialColumns(batch.rows),
      numberArray(letters.map((l) => l.partition)),
      numberArray(letters.map((l) => l.offset)),
      textArray(letters.map((l) => l.reason)),
      textArray(letters.map((l) => l.detail)),
      byteaArray(letters.map((l) => l.payload)),
      byteaArray(letters.map((l) => l.key)),
      numberArray(letters.map((l) => (l.timestampMs === null ? null : l.timestampMs * 1000))),
    ],
  })
}
