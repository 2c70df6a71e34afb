import type { Database } from '../client/connection.ts'

/** The position of a rejected message in the log. */
export interface LetterPlace {
  readonly partition: number
  readonly offset: number
}

/** A rejected message as lists show it. */
export interface LetterSummary extends LetterPlace {
  readonly reason: string
  readonly detail: string
  /** Of the payload that is kept; null where none is. */
  readonly payloadBytes: number | null
  readonly receivedAt: Date
  readonly retriedAt: Date | null
}

/** A rejected message, whole. */
export interface Letter extends LetterSummary {
  readonly payload: Buffer | null
  readonly key: Buffer | null
  /** The record's Kafka timestamp. */
  readonly messageAt: Date | null
  readonly retriedPayload: Buffer | null
}

/** Selects dead letters; a condition that is left out selects all. */
export interface LetterFilter {
  readonly reason?: string
  /** Received at this time or later. */
  readonly since?: Date
  /** Received before this time. */
  readonly before?: Date
  /** Only those that were retried, or only those that were not. */
  readonly isRetried?: boolean
}

const summaryColumns = `
  partition, message_offset AS "offset", reason, coalesce(detail, '') AS detail,
  octet_length(payload) AS "payloadBytes", received_at AS "receivedAt", retried_at AS "retriedAt"`

const letterColumns = `${summaryColumns}, payload, key, message_timestamp AS "messageAt", retried_payload AS "retriedPayload"`

const matchesFilter = `
  topic = $1 AND ($2::text IS NULL OR reason = $2)
  AND ($3::timestamptz IS NULL OR received_at >= $3) AND ($4::timestamptz IS NULL OR received_at < $4)
  AND ($5::boolean IS NULL OR (retried_at IS NOT NULL) = $5)`

function filterValues(topic: string, { reason, since, before, isRetried }: LetterFilter): unknown[] {
  return [topic, reason ?? null, since ?? null, before ?? null, isRetried ?? null]
}

/** The newest dead letters first. */
export async function listLetters(
  database: Database,
  topic: string,
  filter: LetterFilter,
  limit: number,
): Promise<LetterSummary[]> {
  return database.query<LetterSummary>({
    text: `SELECT ${summaryColumns} FROM dead_letters WHERE ${matchesFilter}
      ORDER BY received_at DESC, partition, message_offset DESC LIMIT $6`,
    values: [...filterValues(topic, filter), limit],
  })
}

export interface ReasonCount {
  readonly reason: string
  readonly letters: number
  readonly retried: number
}

/** The most frequent reason first. */
export async function countLetters(database: Database, topic: string, filter: LetterFilter): Promise<ReasonCount[]> {
  return database.query<ReasonCount>({
    text: `SELECT reason, count(*) AS letters, count(retried_at) AS retried FROM dead_letters WHERE ${matchesFilter}
      GROUP BY reason ORDER BY letters DESC, reason`,
    values: filterValues(topic, filter),
  })
}

export async function findLetter(
  database: Database,
  topic: string,
  { partition, offset }: LetterPlace,
): Promise<Letter | undefined> {
  const [letter] = await database.query<Letter>({
    text: `SELECT ${letterColumns} FROM dead_letters WHERE topic = $1 AND partition = $2 AND message_offset = $3`,
    values: [topic, partition, offset],
  })
  return letter
}

/** A page of the dead letters that were never retried, in the order of the log: those behind `after`. */
export async function lettersToRetry(
  database: Database,
  topic: string,
  filter: LetterFilter,
  page: { after: LetterPlace; limit: number },
): Promise<Letter[]> {
  return database.query<Letter>({
    text: `SELECT ${letterColumns} FROM dead_letters
      WHERE ${matchesFilter} AND (partition, message_offset) > ($6, $7) ORDER BY partition, message_offset LIMIT $8`,
    values: [
      ...filterValues(topic, { ...filter, isRetried: false }),
      page.after.partition,
      page.after.offset,
      page.limit,
    ],
  })
}
