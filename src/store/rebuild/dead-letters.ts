import { byteaArray, numberArray, textArray } from '../client/sql-values.ts'
import { eachPage, type RetriedColumns, type RetriedMessage, selectRetried } from '../windows/verify-snapshot.ts'
import type { RebuildSession } from './session.ts'

/** A message that is rejected now, or was before. */
export interface RebuiltLetter {
  readonly partition: number
  readonly offset: number
  /** Null for one that is accepted now. */
  readonly reason: string | null
  /** Under the definition that the database holds. */
  readonly wasRejected: boolean
  readonly detail: string | null
  readonly payload: Uint8Array | null
  readonly timestampMs: number | null
}

export async function appendLetters(session: RebuildSession, letters: readonly RebuiltLetter[]): Promise<void> {
  if (letters.length === 0) return
  await session.run(
    `INSERT INTO rebuilt_letters (partition, message_offset, reason, was_rejected, detail, payload, message_timestamp)
     SELECT partition, message_offset, reason, was_rejected, detail, payload, kpi_instant(message_at)
     FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::boolean[], $5::text[], $6::bytea[], $7::bigint[])
       AS l(partition, message_offset, reason, was_rejected, detail, payload, message_at)`,
    [
      numberArray(letters.map((l) => l.partition)),
      numberArray(letters.map((l) => l.offset)),
      textArray(letters.map((l) => l.reason)),
      letters.map((l) => l.wasRejected),
      textArray(letters.map((l) => l.detail)),
      byteaArray(letters.map((l) => l.payload)),
      numberArray(letters.map((l) => (l.timestampMs === null ? null : l.timestampMs * 1000))),
    ],
  )
}

export interface LetterPlan {
  readonly topic: string
  /** Partitions that the log holds from their first offset: only the log decides there which messages are rejected. */
  readonly whole: readonly number[]
  /** Of these, those of which no dead letter was purged: there, a missing dead letter is an error. */
  readonly unpurged: readonly number[]
}

export interface LetterCounts {
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** By partition: messages that are accepted now and whose dead letter had been purged. */
  readonly unpurged: ReadonlyMap<number, number>
}

const added = `
  FROM rebuilt_letters s LEFT JOIN dead_letters l
    ON l.topic = $1 AND l.partition = s.partition AND l.message_offset = s.message_offset
  WHERE l.partition IS NULL AND s.reason IS NOT NULL AND (NOT s.was_rejected OR s.partition = ANY ($2))`

const changed = `l.topic = $1 AND l.partition = s.partition AND l.message_offset = s.message_offset AND l.reason <> s.reason`

/** Counts the changes of dead letters, and records which ones to delete. */
export async function planLetters(session: RebuildSession, plan: LetterPlan): Promise<LetterCounts> {
  const { topic, whole, unpurged } = plan
  const doomed = await session.run(
    `INSERT INTO doomed_letters
     SELECT l.partition, l.message_offset FROM dead_letters l LEFT JOIN rebuilt_letters s USING (partition, message_offset)
     WHERE l.topic = $1 AND l.retried_at IS NULL AND s.reason IS NULL AND (s.partition IS NOT NULL OR l.partition = ANY ($2))`,
    [topic, whole],
  )
  const { rows: purged } = await session.run<{ partition: number; count: number }>(
    `SELECT s.partition, count(*) AS count FROM rebuilt_letters s LEFT JOIN dead_letters l
       ON l.topic = $1 AND l.partition = s.partition AND l.message_offset = s.message_offset
     WHERE s.reason IS NULL AND l.partition IS NULL GROUP BY s.partition`,
    [topic],
  )
  const { rows: more } = await session.run<{ count: number }>(`SELECT count(*) AS count ${added}`, [topic, unpurged])
  const { rows: other } = await session.run<{ count: number }>(
    `SELECT count(*) AS count FROM rebuilt_letters s JOIN dead_letters l ON ${changed}`,
    [topic],
  )
  return {
    added: more[0]?.count ?? 0,
    removed: doomed.rowCount ?? 0,
    changed: other[0]?.count ?? 0,
    unpurged: new Map(purged.map(({ partition, count }) => [partition, count])),
  }
}

export async function applyLetters(session: RebuildSession, { topic, unpurged }: LetterPlan): Promise<void> {
  await session.run(
    `DELETE FROM dead_letters l USING doomed_letters d
     WHERE l.topic = $1 AND l.partition = d.partition AND l.message_offset = d.message_offset`,
    [topic],
  )
  await session.run(
    `UPDATE dead_letters l SET reason = s.reason, detail = s.detail FROM rebuilt_letters s WHERE ${changed}`,
    [topic],
  )
  await session.run(
    `INSERT INTO dead_letters (topic, partition, message_offset, reason, detail, payload, message_timestamp)
     SELECT $1, s.partition, s.message_offset, s.reason, s.detail, s.payload, s.message_timestamp ${added}`,
    [topic, unpurged],
  )
}

/** Every retried message: it is in the rows with the value it was retried with, whether or not its own value is accepted. */
export async function eachRetried(
  session: RebuildSession,
  topic: string,
  take: (message: RetriedMessage) => void,
): Promise<void> {
  await eachPage<RetriedColumns>(session.client, selectRetried, [topic], ([partition, offset, payload, at, ...is]) =>
    take({ partition, offset, payload, messageAtUs: at, isLate: is[0], isArchived: is[1] }),
  )
}

/** Retried messages that were counted as accepted as well: they were retried while the log was read. */
export async function countTakenTwice(session: RebuildSession, topic: string): Promise<number> {
  const { rows } = await session.run<{ count: number }>(
    `SELECT count(*) AS count FROM dead_letters l JOIN rebuilt_letters s USING (partition, message_offset)
     WHERE l.topic = $1 AND l.retried_at IS NOT NULL AND s.reason IS NULL`,
    [topic],
  )
  return rows[0]?.count ?? 0
}

/** Takes back retries of messages that are not accepted any more. */
export async function takeBackRetries(
  session: RebuildSession,
  topic: string,
  places: readonly { partition: number; offset: number }[],
): Promise<void> {
  const values = [topic, numberArray(places.map((p) => p.partition)), numberArray(places.map((p) => p.offset))]
  const wanted = 'unnest($2::integer[], $3::bigint[]) AS p(partition, message_offset)'
  await session.run(
    `UPDATE dead_letters l SET retried_at = NULL, retried_payload = NULL, retried_late = NULL FROM ${wanted}
     WHERE l.topic = $1 AND l.partition = p.partition AND l.message_offset = p.message_offset`,
    values,
  )
  await session.run(
    `UPDATE kpi_archived_letters a SET letter = a.letter - '{retried_at,retried_payload,retried_late}'::text[]
     FROM ${wanted}, kpi_definition d
     WHERE a.topic_id = d.topic_id AND a.letter->>'topic' = $1 AND (a.letter->>'partition')::integer = p.partition
       AND (a.letter->>'message_offset')::bigint = p.message_offset`,
    values,
  )
}
