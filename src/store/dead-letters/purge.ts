import type { Database } from '../client/connection.ts'
import type { PositionKey } from '../positions/positions.ts'

/** Dead letters per transaction: few enough that a worker never waits for long. */
const batchLetters = 1000

export interface PurgeFilter {
  readonly reason?: string
  /** Received before this time. */
  readonly before?: Date
}

/**
 * Deletes dead letters in small transactions and adds their number to the position's counter. Retried ones stay: they are the
 * only record of what was merged, and `verify` needs it.
 *
 * @param onProgress - Called after each transaction with the number deleted so far.
 * @returns How many were deleted.
 */
export async function purgeLetters(
  database: Database,
  key: PositionKey,
  filter: PurgeFilter,
  onProgress: (deleted: number) => void,
): Promise<number> {
  const partitions = await database.query<{ partition: number }>({
    text: 'SELECT partition FROM kpi_consumer_offsets WHERE consumer_group = $1 AND topic = $2 ORDER BY partition',
    values: [key.group, key.topic],
  })
  let deleted = 0
  for (const { partition } of partitions) {
    for (let after = -1; ; ) {
      const batch = await purgeBatch(database, key, filter, { partition, after })
      if (batch === undefined) break
      deleted += batch.deleted
      after = batch.last
      onProgress(deleted)
    }
  }
  return deleted
}

/** Undefined when there are none behind `after`. */
async function purgeBatch(
  database: Database,
  { group, topic }: PositionKey,
  { reason, before }: PurgeFilter,
  { partition, after }: { partition: number; after: number },
): Promise<{ deleted: number; last: number } | undefined> {
  return database.transaction(async (client) => {
    const found = await client.query<{ last: number | null }>(
      `SELECT max(message_offset) AS last FROM (
         SELECT message_offset FROM dead_letters
         WHERE topic = $1 AND partition = $2 AND message_offset > $3 AND retried_at IS NULL
           AND ($4::text IS NULL OR reason = $4) AND ($5::timestamptz IS NULL OR received_at < $5)
         ORDER BY message_offset LIMIT $6) AS next`,
      [topic, partition, after, reason ?? null, before ?? null, batchLetters],
    )
    const last = found.rows[0]?.last ?? null
    if (last === null) return undefined
    // The position is locked before the dead letters, as in a retry.
    await client.query(
      'SELECT FROM kpi_consumer_offsets WHERE consumer_group = $1 AND topic = $2 AND partition = $3 FOR UPDATE',
      [group, topic, partition],
    )
    const gone = await client.query(
      `DELETE FROM dead_letters
       WHERE topic = $1 AND partition = $2 AND message_offset > $3 AND message_offset <= $4 AND retried_at IS NULL
         AND ($5::text IS NULL OR reason = $5) AND ($6::timestamptz IS NULL OR received_at < $6)`,
      [topic, partition, after, last, reason ?? null, before ?? null],
    )
    const deleted = gone.rowCount ?? 0
    await client.query(
      'UPDATE kpi_consumer_offsets SET purged = purged + $4 WHERE consumer_group = $1 AND topic = $2 AND partition = $3',
      [group, topic, partition, deleted],
    )
    return { deleted, last }
  })
}
