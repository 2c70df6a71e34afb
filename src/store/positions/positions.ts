import type { ReadEpoch } from '../../kpi/leader-epochs.ts'
import type { Database } from '../client/connection.ts'
import { numberArray } from '../client/sql-values.ts'

/** The pipeline's true position in one partition. Kafka's committed offset may be behind it, but never ahead of it. */
export interface Position extends ReadEpoch {
  readonly partition: number
  readonly firstOffset: number
  readonly nextOffset: number
  /** Highest accepted event time so far, microseconds; -1 for none. */
  readonly watermarkUs: number
}

/** A position with its counters; docs/tables.md says what each of them counts. */
export interface PositionWithCounts extends Position {
  readonly merged: number
  readonly rejected: number
  readonly withoutMessage: number
  readonly lost: number
  readonly retried: number
  readonly purged: number
}

/** The leader epoch of a position; −1 where it is not known. */
export const epochColumns =
  'coalesce(leader_epoch, -1) AS "leaderEpoch", coalesce(leader_epoch_from, -1) AS "epochFrom"'

export interface PositionKey {
  readonly group: string
  readonly topic: string
}

/**
 * The positions of some partitions. One that has none yet begins at its earliest offset, and is stored so at
 * once: two workers that do this at the same time agree, since the first insert wins.
 *
 * @param key.definitionId - Under which the worker may write: the earliest offsets of a topic that was re-created in the
 *   meantime are different.
 * @throws KpiError `KPI_DEFINITION_MISMATCH` when the database holds another definition now: nothing is written then.
 */
export async function openPositions(
  database: Database,
  key: PositionKey & { readonly definitionId: number },
  earliest: ReadonlyMap<number, number>,
): Promise<Position[]> {
  const partitions = [...earliest.keys()]
  await database.query({
    text: 'SELECT kpi_open_positions($1, $2, $3, $4, $5)',
    values: [key.definitionId, key.group, key.topic, numberArray(partitions), numberArray([...earliest.values()])],
  })
  return readPositions(database, key, partitions)
}

/** The stored positions, of these partitions or of all. */
export async function readPositions(
  database: Database,
  key: PositionKey,
  partitions?: readonly number[],
): Promise<Position[]> {
  return database.query<Position>({
    text: `SELECT partition, first_offset AS "firstOffset", next_offset AS "nextOffset", watermark_us AS "watermarkUs",
        ${epochColumns}
      FROM kpi_consumer_offsets
      WHERE consumer_group = $1 AND topic = $2 AND ($3::integer[] IS NULL OR partition = ANY ($3))
      ORDER BY partition`,
    values: [key.group, key.topic, partitions ? numberArray(partitions) : null],
  })
}

/** Where a worker believes a position to be. */
export interface ExpectedPosition {
  readonly partition: number
  readonly nextOffset: number
  /**
   * Whether the log ends there; if not, messages have come that cannot be read yet, as they are behind an open transaction.
   * Undefined where the end is not known.
   */
  readonly isAtEnd: boolean | undefined
}

/**
 * Compares positions with where their worker believes them to be, and notes since when they are at the end of the log:
 * after a while without data their windows count as closed. A position that is elsewhere is left alone.
 *
 * @returns The partitions whose position is elsewhere, or does not exist: another worker has committed, an operator has
 *   moved it, or the database is an older copy of what it was.
 */
export async function comparePositions(
  database: Database,
  key: PositionKey,
  expected: readonly ExpectedPosition[],
): Promise<number[]> {
  if (expected.length === 0) return []
  const elsewhere = await database.query<{ partition: number }>({
    text: `WITH expected AS (
        SELECT * FROM unnest($3::integer[], $4::bigint[], $5::boolean[]) AS e(partition, next_offset, is_at_end)
      ), changed AS (
        SELECT o.partition, e.is_at_end FROM kpi_consumer_offsets o JOIN expected e USING (partition, next_offset)
        WHERE o.consumer_group = $1 AND o.topic = $2 AND (o.idle_since IS NULL) = e.is_at_end
        ORDER BY o.partition FOR UPDATE OF o SKIP LOCKED
      ), noted AS (
        UPDATE kpi_consumer_offsets o SET idle_since = CASE WHEN c.is_at_end THEN now() END FROM changed c
        WHERE o.consumer_group = $1 AND o.topic = $2 AND o.partition = c.partition
      )
      SELECT e.partition FROM expected e
      LEFT JOIN kpi_consumer_offsets o
        ON o.consumer_group = $1 AND o.topic = $2 AND o.partition = e.partition AND o.next_offset = e.next_offset
      WHERE o.partition IS NULL
      ORDER BY e.partition`,
    values: [
      key.group,
      key.topic,
      numberArray(expected.map(({ partition }) => partition)),
      numberArray(expected.map(({ nextOffset }) => nextOffset)),
      expected.map(({ isAtEnd }) => isAtEnd ?? null),
    ],
  })
  return elsewhere.map(({ partition }) => partition)
}
