import type { PoolClient } from 'pg'
import { KpiError } from '../../errors.ts'
import type { Database } from '../client/connection.ts'
import { microsecondsSql } from '../client/sql-values.ts'
import type { PositionKey } from './positions.ts'

/** `deleted`: gone before it was read. `cut`: read, then taken off the log's end, and its offsets used again. */
export type GapKind = 'deleted' | 'cut'

/** A part of a partition's log that the rows and the log do not have in common. */
export interface Gap {
  readonly partition: number
  readonly kind: GapKind
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
  /** The windows it may touch end after `fromEventUs` and start no later than `toEventUs`; microseconds. */
  readonly fromEventUs: number
  readonly toEventUs: number
  /** The leader epoch of the last record batch below a cut; −1 or left out where it is not known. */
  readonly epochBefore?: number
}

export interface RecordedGap extends Omit<Gap, 'epochBefore'> {
  readonly recordedAt: Date
}

/** The gaps that were accepted, oldest first within a partition. */
export const selectGaps = `
  SELECT partition, kind, from_offset AS "fromOffset", to_offset AS "toOffset",
    ${microsecondsSql('from_event_at')} AS "fromEventUs",
    ${microsecondsSql('to_event_at')} AS "toEventUs", recorded_at AS "recordedAt"
  FROM kpi_gaps WHERE consumer_group = $1 AND topic = $2 ORDER BY partition, recorded_at`

export async function readGaps(database: Database, key: PositionKey): Promise<RecordedGap[]> {
  return database.query<RecordedGap>({ text: selectGaps, values: [key.group, key.topic] })
}

/**
 * Records a gap and moves the position over it, in one transaction: behind messages that were deleted, or back to where the
 * log was cut.
 *
 * @param definitionId - Of the definition under which the gap was found.
 * @returns How many dead letters of the part that was cut off were archived: other messages will use their offsets.
 * @throws KpiError `KPI_POSITION_MOVED` when the position is not where the gap was seen any more: nothing is changed.
 */
export async function acceptGap(
  database: Database,
  key: PositionKey,
  definitionId: number,
  gap: Gap,
): Promise<{ archivedLetters: number }> {
  return database.transaction(async (client) => {
    await lockPosition(client, key, definitionId, gap)
    const { group, topic } = key
    const { partition, kind, fromOffset, toOffset } = gap
    await client.query(
      `INSERT INTO kpi_gaps (consumer_group, topic, partition, kind, from_offset, to_offset, from_event_at, to_event_at)
       VALUES ($1, $2, $3, $4, $5, $6, kpi_instant($7), kpi_instant($8))`,
      [group, topic, partition, kind, fromOffset, toOffset, gap.fromEventUs, gap.toEventUs],
    )
    const moved = {
      deleted: 'next_offset = $5, lost = lost + $5 - $4',
      cut: 'next_offset = $4, rewound = rewound + $5 - $4',
    }[kind]
    await client.query(
      `UPDATE kpi_consumer_offsets SET ${moved}, leader_epoch = nullif($6, -1), leader_epoch_from = NULL, idle_since = NULL,
         updated_at = now()
       WHERE consumer_group = $1 AND topic = $2 AND partition = $3`,
      [group, topic, partition, fromOffset, toOffset, gap.epochBefore ?? -1],
    )
    return { archivedLetters: kind === 'cut' ? await archiveLetters(client, topic, gap) : 0 }
  })
}

/** The same order of locks as a commit: the position first, then the definition is checked. */
async function lockPosition(client: PoolClient, key: PositionKey, definitionId: number, gap: Gap): Promise<void> {
  const expected = gap.kind === 'deleted' ? gap.fromOffset : gap.toOffset
  const locked = await client.query(
    `SELECT FROM kpi_consumer_offsets WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND next_offset = $4
     FOR UPDATE`,
    [key.group, key.topic, gap.partition, expected],
  )
  const { rowCount: isSame } = await client.query('SELECT FROM kpi_definition WHERE id = $1', [definitionId])
  if (locked.rowCount === 0 || isSame === 0) {
    throw new KpiError(
      'KPI_POSITION_MOVED',
      `the position of partition ${gap.partition} has moved in the meantime: check it with 'market-kpi offsets show'`,
    )
  }
}

/** Archives them, since a new message at the same offset may have to be stored in dead_letters. */
async function archiveLetters(client: PoolClient, topic: string, gap: Gap): Promise<number> {
  const archived = await client.query(
    `WITH cut AS (DELETE FROM dead_letters WHERE topic = $1 AND partition = $2 AND message_offset >= $3 RETURNING *)
     INSERT INTO kpi_archived_letters (topic_id, letter) SELECT d.topic_id, to_jsonb(cut) FROM cut, kpi_definition d`,
    [topic, gap.partition, gap.fromOffset],
  )
  return archived.rowCount ?? 0
}
