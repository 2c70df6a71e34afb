import type { Database } from './connection.ts'
import { numberArray } from './partial-columns.ts'

/** Where the pipeline stands in one partition: the truth, which Kafka's committed offset may trail but never lead. */
export interface Position {
  readonly partition: number
  readonly firstOffset: number
  readonly nextOffset: number
  /** Highest accepted event time so far, microseconds; -1 for none. */
  readonly watermarkUs: number
}

export interface PositionKey {
  readonly group: string
  readonly topic: string
}

/**
 * The positions of some partitions. One that has none yet begins at its earliest offset, and is written down so at
 * once: two workers that do this at the same time agree, since the first insert wins.
 *
 * @param key.definitionId - Under which the worker may write: the earliest offsets of a topic that was created anew
 *   meanwhile are others.
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

/** The positions that are written down, of these partitions or of all. */
export async function readPositions(
  database: Database,
  key: PositionKey,
  partitions?: readonly number[],
): Promise<Position[]> {
  return database.query<Position>({
    text: `SELECT partition, first_offset AS "firstOffset", next_offset AS "nextOffset", watermark_us AS "watermarkUs"
      FROM kpi_consumer_offsets
      WHERE consumer_group = $1 AND topic = $2 AND ($3::integer[] IS NULL OR partition = ANY ($3))
      ORDER BY partition`,
    values: [key.group, key.topic, partitions ? numberArray(partitions) : null],
  })
}

/**
 * Notes that these partitions stand at the end of the log: after a while without data their windows count as closed.
 * A position that has moved meanwhile is left alone.
 */
export async function markIdle(
  database: Database,
  key: PositionKey,
  atEnd: ReadonlyMap<number, number>,
): Promise<void> {
  if (atEnd.size === 0) return
  await database.query({
    text: `UPDATE kpi_consumer_offsets o SET idle_since = now()
      FROM (
        SELECT o.partition FROM kpi_consumer_offsets o
        JOIN unnest($3::integer[], $4::bigint[]) AS e(partition, next_offset) USING (partition, next_offset)
        WHERE o.consumer_group = $1 AND o.topic = $2 AND o.idle_since IS NULL
        ORDER BY o.partition FOR UPDATE OF o SKIP LOCKED
      ) AS idle
      WHERE o.consumer_group = $1 AND o.topic = $2 AND o.partition = idle.partition`,
    values: [key.group, key.topic, numberArray([...atEnd.keys()]), numberArray([...atEnd.values()])],
  })
}

/**
 * Takes back that these partitions stand at the end of the log: messages have come that cannot be read yet, as they are
 * behind an open transaction. A position that has moved meanwhile is left alone.
 */
export async function unmarkIdle(
  database: Database,
  key: PositionKey,
  blocked: ReadonlyMap<number, number>,
): Promise<void> {
  if (blocked.size === 0) return
  await database.query({
    text: `UPDATE kpi_consumer_offsets o SET idle_since = NULL
      FROM (
        SELECT o.partition FROM kpi_consumer_offsets o
        JOIN unnest($3::integer[], $4::bigint[]) AS e(partition, next_offset) USING (partition, next_offset)
        WHERE o.consumer_group = $1 AND o.topic = $2 AND o.idle_since IS NOT NULL
        ORDER BY o.partition FOR UPDATE OF o SKIP LOCKED
      ) AS blocked
      WHERE o.consumer_group = $1 AND o.topic = $2 AND o.partition = blocked.partition`,
    values: [key.group, key.topic, numberArray([...blocked.keys()]), numberArray([...blocked.values()])],
  })
}
