import type { ClientBase } from 'pg'
import type { Database } from '../client/connection.ts'
import { microsecondsSql } from '../client/sql-values.ts'
import { type RecordedGap, selectGaps } from '../positions/gaps.ts'
import { epochColumns, type PositionKey, type PositionWithCounts } from '../positions/positions.ts'
import { comparedColumnNames, windowColumns } from './window-columns.ts'

/**
 * What `verify` needs of the database, as of one moment: positions and rows that belong together, although workers
 * continue. It is copied quickly, so that the snapshot does not delay vacuum while the log is read.
 */
export interface VerifySnapshot {
  readonly positions: readonly CountedPosition[]
  readonly gaps: readonly RecordedGap[]
  /** Messages merged into all rows of the table. */
  readonly tradeCount: number
  /** Messages of rows that were pruned. */
  readonly prunedMessages: number
  /** See {@link readFloorUs}. */
  readonly floorUs: number
}

export interface CountedPosition extends PositionWithCounts {
  /** In dead_letters, and those whose offset was cut off the log. */
  readonly letters: number
  readonly archivedLetters: number
  readonly retriedLetters: number
}

/** Windows of a range, all symbols or some; instants in microseconds, `fromUs` and after, before `toUs`. */
export interface WindowFilter {
  readonly symbols?: readonly string[] | undefined
  readonly fromUs?: number | undefined
  readonly toUs?: number | undefined
}

export interface RetriedMessage {
  readonly partition: number
  readonly offset: number
  readonly payload: Buffer
  readonly messageAtUs: number | null
  readonly isLate: boolean
  /** Whether its offset was cut off the log, and may now be the offset of another message. */
  readonly isArchived: boolean
}

/** Receives the snapshot's larger parts, one by one. */
export interface SnapshotSink {
  /** The columns of {@link comparedColumnNames} as text; null only where the column is null. */
  row(columns: readonly (string | null)[]): void
  retried(message: RetriedMessage): void
  /** In the order of partition and offset. Left out for a table's second pass. */
  letter?(partition: number, offset: number, reason: string): void
}

/** Each column of {@link comparedColumnNames} as text, an instant in microseconds: a list for SELECT. */
export const comparedColumnsSql: string = comparedColumnNames
  .map((name) => `${windowColumns[name].type === 'instant' ? microsecondsSql(name) : name}::text AS ${name}`)
  .join(', ')

/** Where the comparable rows begin, and what was deleted below. */
export const selectFloor = `
  SELECT ${microsecondsSql('greatest(starts_before, (SELECT max(starts_before) FROM kpi_earlier_rows))')} AS "floorUs",
    message_count AS "prunedMessages"
  FROM kpi_pruned`

/**
 * Windows that start before this, in microseconds, say nothing about the log: they were pruned, or a rebuild under
 * another definition had to leave them as they were. 0 where there are none.
 */
export async function readFloorUs(database: Database): Promise<number> {
  const [found] = await database.query<{ floorUs: number }>({ text: selectFloor })
  return found?.floorUs ?? 0
}

const pageRows = 5000
export const matchesFilter = `
  ($1::text[] IS NULL OR symbol = ANY ($1))
  AND ($2::bigint IS NULL OR window_start >= kpi_instant($2)) AND ($3::bigint IS NULL OR window_start < kpi_instant($3))`

export const filterValues = ({ symbols, fromUs, toUs }: WindowFilter) => [symbols ?? null, fromUs ?? null, toUs ?? null]

/** Cuts a filter's range of windows into ranges of about so many rows each, which together cover it without a break. */
export async function sliceWindows(database: Database, filter: WindowFilter, rows: number): Promise<WindowFilter[]> {
  const slices = await database.query<{ fromUs: number }>({
    text: `
      SELECT min(start_us) AS "fromUs" FROM (
        SELECT ${microsecondsSql('window_start')} AS start_us,
          div(sum(count(*)) OVER (ORDER BY window_start) - count(*), $4) AS slice
        FROM kpi_market_prices WHERE ${matchesFilter} GROUP BY window_start
      ) AS windows GROUP BY slice ORDER BY slice`,
    values: [...filterValues(filter), rows],
  })
  const starts = slices.slice(1).map(({ fromUs }) => fromUs)
  return [filter.fromUs, ...starts].map((fromUs, i) => ({ ...filter, fromUs, toUs: starts[i] ?? filter.toUs }))
}

/** Copies the snapshot of one range of windows. */
export async function readVerifySnapshot(
  database: Database,
  key: PositionKey,
  filter: WindowFilter,
  sink: SnapshotSink,
): Promise<VerifySnapshot> {
  return database.transaction(async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const { rows: positions } = await client.query<CountedPosition>(selectPositions, [key.group, key.topic])
    const { rows: gaps } = await client.query<RecordedGap>(selectGaps, [key.group, key.topic])
    const { rows: totals } = await client.query<{ tradeCount: number }>(
      'SELECT coalesce(sum(trade_count), 0)::bigint AS "tradeCount" FROM kpi_market_prices',
    )
    const { rows: pruned } = await client.query<{ floorUs: number; prunedMessages: number }>(selectFloor)
    const rows = `SELECT ${comparedColumnsSql} FROM kpi_market_prices WHERE ${matchesFilter}`
    await eachPage<(string | null)[]>(client, rows, filterValues(filter), (row) => sink.row(row))
    await eachPage<RetriedColumns>(client, selectRetried, [key.topic], ([partition, offset, payload, at, ...is]) =>
      sink.retried({ partition, offset, payload, messageAtUs: at, isLate: is[0], isArchived: is[1] }),
    )
    if (sink.letter) {
      await eachPage<[number, number, string]>(client, selectLetters, [key.topic], (letter) => sink.letter?.(...letter))
    }
    const { floorUs = 0, prunedMessages = 0 } = pruned[0] ?? {}
    return { positions, gaps, tradeCount: totals[0]?.tradeCount ?? 0, prunedMessages, floorUs }
  })
}

/** A cursor limits the memory to one page. */
export async function eachPage<R extends unknown[]>(
  client: ClientBase,
  select: string,
  values: unknown[],
  take: (row: R) => void,
): Promise<void> {
  await client.query(`DECLARE page NO SCROLL CURSOR FOR ${select}`, values)
  for (;;) {
    const { rows } = await client.query<R>({ text: `FETCH ${pageRows} FROM page`, rowMode: 'array' })
    for (const row of rows) take(row)
    if (rows.length < pageRows) break
  }
  await client.query('CLOSE page')
}

const selectLetters = `
  SELECT partition, message_offset, reason FROM dead_letters WHERE topic = $1 ORDER BY partition, message_offset`

export type RetriedColumns = [number, number, Buffer, number | null, boolean, boolean]

export const selectRetried = `
  SELECT partition, message_offset, retried_payload, ${microsecondsSql('message_timestamp')}, coalesce(retried_late, false),
    is_archived
  FROM (
    SELECT *, false AS is_archived FROM dead_letters
    UNION ALL
    SELECT letter.*, true FROM kpi_archived_letters a
    JOIN kpi_definition d USING (topic_id)
    CROSS JOIN jsonb_populate_record(NULL::dead_letters, a.letter) AS letter
  ) AS letters
  WHERE topic = $1 AND retried_at IS NOT NULL`

const selectPositions = `
  WITH letters AS (
    SELECT partition, count(*) AS letters, count(retried_at) AS retried FROM dead_letters WHERE topic = $2
    GROUP BY partition
  ), archived AS (
    SELECT (a.letter->>'partition')::integer AS partition, count(*) AS letters, count(a.letter->>'retried_at') AS retried
    FROM kpi_archived_letters a JOIN kpi_definition USING (topic_id) GROUP BY 1
  )
  SELECT partition, first_offset AS "firstOffset", next_offset AS "nextOffset", watermark_us AS "watermarkUs",
    ${epochColumns},
    merged, rejected, without_message AS "withoutMessage", lost, o.retried, purged,
    coalesce(l.letters, 0) AS letters, coalesce(a.letters, 0) AS "archivedLetters",
    coalesce(l.retried, 0) + coalesce(a.retried, 0) AS "retriedLetters"
  FROM kpi_consumer_offsets o LEFT JOIN letters l USING (partition) LEFT JOIN archived a USING (partition)
  WHERE consumer_group = $1 AND topic = $2 ORDER BY partition`
