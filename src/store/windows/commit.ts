import { assert } from '../../errors.ts'
import { storableTimestampMs } from '../../kpi/dead-letter-limits.ts'
import type { ReadEpoch } from '../../kpi/leader-epochs.ts'
import type { PartialRow } from '../../kpi/reducer.ts'
import type { Database } from '../client/connection.ts'
import { byteaArray, namedCallSql, numberArray, textArray } from '../client/sql-values.ts'
import { mergeParameters, mergeValues } from './merge-parameters.ts'

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

/** A rejected message, to be stored in `dead_letters`. */
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

/** Array parameters of kpi_commit: the name of each, and its array of what is passed in it. */
type ArrayParameters<T> = Readonly<Record<string, (items: readonly T[]) => string>>

const numbers =
  <T>(of: (item: T) => number | null) =>
  (items: readonly T[]) =>
    numberArray(items.map(of))

const advanceParameters: ArrayParameters<PartitionAdvance> = {
  p_partition: numbers((a) => a.partition),
  p_expected: numbers((a) => a.expectedOffset),
  p_next: numbers((a) => a.nextOffset),
  p_watermark: numbers((a) => a.watermarkUs),
  p_merged: numbers((a) => a.merged),
  p_rejected: numbers((a) => a.rejected),
  p_without: numbers((a) => a.withoutMessage),
  p_leader_epoch: numbers((a) => a.epoch?.leaderEpoch ?? -1),
  p_leader_epoch_from: numbers((a) => a.epoch?.epochFrom ?? -1),
}

const deadLetterParameters: ArrayParameters<DeadLetter> = {
  l_partition: numbers((l) => l.partition),
  l_offset: numbers((l) => l.offset),
  l_reason: (letters) => textArray(letters.map((l) => l.reason)),
  // PostgreSQL's text cannot contain NUL.
  l_detail: (letters) => textArray(letters.map((l) => l.detail.replaceAll('\0', '\uFFFD'))),
  l_payload: (letters) => byteaArray(letters.map((l) => l.payload)),
  l_key: (letters) => byteaArray(letters.map((l) => l.key)),
  l_message_at: numbers((l) => microsecondsOf(l.timestampMs)),
}

/** The parameters of kpi_commit, in the order in which {@link commitBatch} passes their values. */
export const commitParameters: readonly string[] = [
  ...['p_definition', 'p_group', 'p_topic'],
  ...Object.keys(advanceParameters),
  ...mergeParameters,
  ...Object.keys(deadLetterParameters),
]

const statement = { name: 'kpi-commit', text: `SELECT ${namedCallSql('kpi_commit', commitParameters)}` }

/**
 * Commits one batch in one round trip: fence, check and advance, merge, store the rejected messages (migrations/0009_leader-epochs.sql).
 *
 * @throws KpiError `KPI_POSITION_MOVED` when another worker has committed for one of the partitions: nothing of this
 *   batch is stored, and the caller must read the positions again. After a retryable error the batch may have been
 *   committed; committing it again is safe, since that fails with `KPI_POSITION_MOVED`.
 */
export async function commitBatch(database: Database, batch: Batch): Promise<void> {
  assertCounted(batch)
  await database.query({
    ...statement,
    values: [
      ...[batch.definitionId, batch.group, batch.topic],
      ...arrays(advanceParameters, batch.advances),
      ...mergeValues(batch.rows, batch.decimals),
      ...arrays(deadLetterParameters, batch.letters),
    ],
  })
}

function arrays<T>(parameters: ArrayParameters<T>, items: readonly T[]): string[] {
  return Object.values(parameters).map((arrayOf) => arrayOf(items))
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
  assert(letters.length === rejected, 'a dead letter for each rejected message')
  assert(advances.length > 0, 'a batch of some partition')
}

function microsecondsOf(timestampMs: number | null): number | null {
  const storableMs = storableTimestampMs(timestampMs)
  return storableMs === null ? null : storableMs * 1000
}
