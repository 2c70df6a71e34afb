import { assert, KpiError } from '../../errors.ts'
import type { Database } from '../client/connection.ts'

export interface PruneOptions {
  readonly database: Database
  /** Rows of windows that ended by then are deleted. */
  readonly before: Date
  /** Rows of one transaction. @defaultValue 5000 */
  readonly batchRows?: number
  /** Called between two transactions, for example to pause. @returns Whether to continue. */
  readonly between: (deletedRows: number, batchMs: number) => Promise<boolean>
}

export interface PruneResult {
  readonly rows: number
  readonly messages: number
  /** Windows that start before this are pruned. */
  readonly startsBefore: Date
}

const usualBatchRows = 5000
/** Rows that a merge holds at the moment are passed over; after so many rounds they wait for the next prune. */
const maxEmptyRounds = 20
/** Dropping a month is tried for a minute or two while other sessions hold locks on it. */
const maxDropTries = 30
const dropPauseMs = 1000

/** How many rows {@link pruneRows} would delete, and their messages. */
export async function countPrunable(database: Database, before: Date): Promise<PruneResult> {
  const startsBefore = await boundOf(database, before)
  const [found] = await database.query<{ rows: number; messages: number }>({
    text: `SELECT count(*) AS rows, coalesce(sum(trade_count), 0)::bigint AS messages FROM kpi_market_prices
      WHERE window_start < $1`,
    values: [startsBefore],
  })
  return { rows: found?.rows ?? 0, messages: found?.messages ?? 0, startsBefore }
}

/**
 * Drops whole months where the table has such partitions, and deletes other old rows in small transactions. The
 * bound is stored first: from then on a message of a pruned window creates a row that kpi_windows shows as incomplete, and
 * `verify` and `rebuild` ignore older windows.
 *
 * No session waits for a prune longer than one transaction takes, and none can deadlock with it: it locks kpi_pruned, then
 * only rows that no other session has locked.
 */
export async function pruneRows(options: PruneOptions): Promise<PruneResult> {
  const { database, batchRows = usualBatchRows, between } = options
  const startsBefore = await boundOf(database, options.before)
  await database.query({
    text: 'UPDATE kpi_pruned SET starts_before = $1, updated_at = now() WHERE starts_before < $1',
    values: [startsBefore],
  })
  const months = await dropMonths(options, startsBefore)
  let { rows, messages } = months
  for (let emptyRounds = 0; months.goesOn && emptyRounds < maxEmptyRounds; ) {
    const startedMs = performance.now()
    const batch = await pruneBatch(database, startsBefore, batchRows)
    rows += batch.rows
    messages += batch.messages
    if (batch.isDone) break
    emptyRounds = batch.rows === 0 ? emptyRounds + 1 : 0
    if (!(await between(rows, performance.now() - startedMs))) break
  }
  return { rows, messages, startsBefore }
}

/**
 * Months of a partitioned table that are over by then: whole partitions are dropped, each with its count. Readers of the
 * table, and merges into such a month, have priority.
 */
async function dropMonths({ database, between }: PruneOptions, startsBefore: Date) {
  const dropped = { rows: 0, messages: 0, goesOn: true }
  for (let tries = 1; ; ) {
    try {
      const [month] = await database.query<{ rows: number; messages: number }>({
        text: 'SELECT rows, messages FROM kpi_drop_month($1)',
        values: [startsBefore],
      })
      if (month === undefined) return dropped
      dropped.rows += month.rows
      dropped.messages += month.messages
      tries = 1
    } catch (error) {
      if (!(error instanceof KpiError && error.retryable) || tries === maxDropTries) throw error
      tries += 1
      if (!(await between(dropped.rows, dropPauseMs))) return { ...dropped, goesOn: false }
    }
  }
}

/** Whole windows only. */
async function boundOf(database: Database, before: Date): Promise<Date> {
  const [found] = await database.query<{ bound: Date }>({
    text: `SELECT kpi_instant((floor(extract(epoch FROM $1::timestamptz) / window_seconds) * window_seconds * 1000000)::bigint)
      AS bound FROM kpi_definition`,
    values: [before],
  })
  assert(found, 'a definition, which the caller has read')
  return found.bound
}

interface Batch {
  readonly rows: number
  readonly messages: number
  readonly isDone: boolean
}

async function pruneBatch(database: Database, startsBefore: Date, batchRows: number): Promise<Batch> {
  return database.transaction(async (client) => {
    // Locked before the rows, as a rebuild does: the rows of a rebuild are either all in place or not considered.
    await client.query('SELECT FROM kpi_pruned FOR UPDATE')
    const gone = await client.query<{ rows: number; messages: number }>(
      `WITH old AS MATERIALIZED (
         SELECT symbol, window_start FROM kpi_market_prices WHERE window_start < $1
         ORDER BY window_start LIMIT $2 FOR UPDATE SKIP LOCKED
       ), gone AS (
         DELETE FROM kpi_market_prices k USING old WHERE k.symbol = old.symbol AND k.window_start = old.window_start
         RETURNING k.trade_count
       )
       SELECT count(*) AS rows, coalesce(sum(trade_count), 0)::bigint AS messages FROM gone`,
      [startsBefore, batchRows],
    )
    const { rows = 0, messages = 0 } = gone.rows[0] ?? {}
    await client.query(
      `UPDATE kpi_pruned SET row_count = row_count + $1, message_count = message_count + $2, updated_at = now()`,
      [rows, messages],
    )
    const left = await client.query('SELECT FROM kpi_market_prices WHERE window_start < $1 LIMIT 1', [startsBefore])
    return { rows, messages, isDone: left.rowCount === 0 }
  })
}
