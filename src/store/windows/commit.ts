import { assert } from '../../errors.ts'
import type { ReadEpoch } from '../../kpi/leader-epochs.ts'
import type { PartialRow } from '../../kpi/reducer.ts'
import type { Database } from '../client/connection.ts'
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
  /** Of the last record batch below `nextOffset`, where it is known. */
  readonly epoch?: ReadEpoch
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
  /** The record's Kafka timestamp, milliseconds; null for none. One that PostgreSQL could not hold is left out. */
  readonly timestampMs: number | null
}

export interface Batch {
  readonly definitionId: number
  readonly group: string
  readonly topic: string
  readonly advances: readonly PartitionAdvance[]
  readonly rows: readonly PartialRow[]
  /** The scale of the rows' prices and volumes, as in the definition. */
  readonly decimals: number
  readonly letters: readonly DeadLetter[]
}

const parameterCount = 39
const statement = {
  name: 'kpi-commit',
  text: `SELECT kpi_commit(${Array.from({ length: parameterCount }, (_, i) => `$${i + 1}`).join(', ')})`,
}

/**
 * Commits one batch in one round trip: fence, check, advance, merge, quarantine (migrations/0009_leader-epochs.sql).
 *
 * @throws KpiError `KPI_POSITION_MOVED` when another worker has committed for one of the partitions: nothing of this
 *   batch is kept, and the positions are to be read again. Errors that are retryable may have committed all the same;
 *   committing the same batch again is safe, since it then fails with `KPI_POSITION_MOVED`.
 */
export async function commitBatch(database: Database, batch: Batch): Promise<void> {
  const { advances, letters } = batch
  assertCounted(batch)
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
      ...partialColumns(batch.rows, batch.decimals),
      numberArray(letters.map((l) => l.partition)),
      numberArray(letters.map((l) => l.offset)),
      textArray(letters.map((l) => l.reason)),
      textArray(letters.map((l) => l.detail.replaceAll('\0', '\uFFFD'))), // PostgreSQL's text holds no NUL
      byteaArray(letters.map((l) => l.payload)),
      byteaArray(letters.map((l) => l.key)),
      numberArray(letters.map((l) => microsecondsOf(l.timestampMs))),
      numberArray(advances.map((a) => a.epoch?.leaderEpoch ?? -1)),
      numberArray(advances.map((a) => a.epoch?.epochFrom ?? -1)),
    ],
  })
}

/** Invariant 1, of one batch: each offset is merged, rejected or without a message, and each message is in the rows. */
function assertCounted({ advances, rows, letters }: Batch): void {
  let merged = 0
  let rejected = 0
  for (const a of advances) {
    assert(a.nextOffset - a.expectedOffset === a.merged + a.rejected + a.withoutMessage, 'each offset counted once')
    merged += a.merged
    rejected += a.rejected
  }
  assert(new Set(advances.map((a) => a.partition)).size === advances.length, 'each partition once')
  assert(rows.reduce((sum, { n }) => sum + n, 0) === merged, 'each merged message in the rows')
  assert(letters.length === rejected, 'a letter for each rejected message')
  assert(advances.length > 0, 'a batch of some partition')
}

/** The end of the year 9999: beyond it a timestamp is nonsense, and some clients of PostgreSQL fail on it. */
const lastTimestampMs = 253_402_300_799_999

function microsecondsOf(timestampMs: number | null): number | null {
  return timestampMs !== null && timestampMs >= 0 && timestampMs <= lastTimestampMs ? timestampMs * 1000 : null
}
