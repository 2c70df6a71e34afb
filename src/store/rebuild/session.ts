import pg from 'pg'
import { KpiError } from '../../errors.ts'
import type { PartialRow } from '../../kpi/partial.ts'
import { type PostgresOptions, placeOf, withClient } from '../client/connection.ts'
import { postgresError } from '../client/errors.ts'
import { type RecordedGap, selectGaps } from '../positions/gaps.ts'
import { epochColumns, type PositionKey, type PositionWithCounts } from '../positions/positions.ts'
import { type Definition, type HeldDefinition, selectDefinition } from '../schema/definition.ts'
import { mergeStatement } from '../windows/merge-parameters.ts'
import { selectFloor } from '../windows/verify-snapshot.ts'

/**
 * The connection of a rebuild. It owns the shadow table, which is dropped with the connection: whatever happens to the process,
 * nothing of an unfinished rebuild stays in the database.
 *
 * The shadow is a temporary table *by the name of the real one*. PostgreSQL searches temporary tables first, so that
 * on this connection kpi_merge, the same function that the workers use, fills the shadow. The real table is
 * `public.kpi_market_prices` here.
 */
export interface RebuildSession {
  readonly place: string
  run<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>>
  readonly client: pg.ClientBase
}

/** Statements of a rebuild may take long: the swap of a large table does. */
const queryTimeoutMs = 86_400_000
const sessionSettings = `
  SET statement_timeout = 0;
  SET lock_timeout = '60s';
  SET idle_in_transaction_session_timeout = '5min'`

const shadowTables = `
  CREATE TEMP TABLE kpi_market_prices (LIKE public.kpi_market_prices INCLUDING ALL) WITH (fillfactor = 50);
  CREATE TEMP TABLE rebuilt_letters (
    partition integer, message_offset bigint, reason text, was_rejected boolean NOT NULL, detail text, payload bytea,
    message_timestamp timestamptz, PRIMARY KEY (partition, message_offset)
  );
  CREATE TEMP TABLE doomed_letters (partition integer, message_offset bigint, PRIMARY KEY (partition, message_offset));
  CREATE TEMP TABLE rebuild_plan (
    symbol text COLLATE "C", window_start timestamptz, in_table bigint NOT NULL, in_log bigint NOT NULL,
    action text NOT NULL, PRIMARY KEY (symbol, window_start)
  )`

/**
 * Runs a rebuild's work, alone on its database.
 *
 * @throws KpiError `KPI_REBUILD_RUNNING`.
 */
export async function withRebuildSession<T>(
  options: PostgresOptions,
  work: (session: RebuildSession) => Promise<T>,
): Promise<T> {
  return alone(options, (guard) => withOwnClient(options, guard, work))
}

async function withOwnClient<T>(
  options: PostgresOptions,
  guard: Guard,
  work: (session: RebuildSession) => Promise<T>,
): Promise<T> {
  const place = placeOf(options)
  return withClient(options, async (client) => {
    const run = async <R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
      if (guard.lost) throw guard.lost
      // node-postgres accepts the timeout with a query too; its types do not declare it.
      const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: queryTimeoutMs }
      return client.query<R>(values.length > 0 ? { ...query, values: [...values] } : query)
    }
    await run(sessionSettings)
    await run(shadowTables)
    return work({ place, run, client })
  })
}

/**
 * Prevents a second rebuild with a lock on a table that only rebuilds write to. Any role could hold an advisory lock. A separate
 * connection holds the lock, in a transaction that reads and writes nothing, so that it does not delay vacuum; it conflicts
 * only with itself.
 */
async function alone<T>(options: PostgresOptions, work: (guard: Guard) => Promise<T>): Promise<T> {
  const limits = { statementTimeoutMs: 60_000, lockTimeoutMs: 60_000, idleInTransactionMs: 0 }
  return withClient(
    options,
    async (client) => {
      const guard: Guard = { lost: undefined }
      client.on('error', (error) => {
        guard.lost = postgresError(error, placeOf(options))
      })
      await client.query('BEGIN')
      try {
        await client.query('LOCK TABLE public.kpi_earlier_rows IN SHARE UPDATE EXCLUSIVE MODE NOWAIT')
      } catch (error) {
        if (!(error instanceof pg.DatabaseError && error.code === '55P03')) throw error
        const message = `another rebuild is running on the database at ${placeOf(options)}: wait until it has ended`
        throw new KpiError('KPI_REBUILD_RUNNING', message, { cause: error })
      }
      return work(guard)
    },
    limits,
  )
}

/** Of the connection that holds the lock. */
interface Guard {
  lost: KpiError | undefined
}

/**
 * Runs work in a transaction, which is rolled back when it throws or says so.
 *
 * @param isDryRun - One snapshot of the database, without a lock.
 */
export async function inRebuildTransaction<T>(
  session: RebuildSession,
  isDryRun: boolean,
  work: () => Promise<T>,
): Promise<T> {
  await session.run(isDryRun ? 'BEGIN ISOLATION LEVEL REPEATABLE READ' : 'BEGIN')
  try {
    const result = await work()
    await session.run(isDryRun ? 'ROLLBACK' : 'COMMIT')
    return result
  } catch (error) {
    await session.run('ROLLBACK').catch(() => undefined) // the first error already reports a failure of the connection
    throw error
  }
}

export interface RebuildPosition extends PositionWithCounts {
  readonly rewound: number
}

const selectPositions = `
  SELECT partition, first_offset AS "firstOffset", next_offset AS "nextOffset", watermark_us AS "watermarkUs",
    ${epochColumns}, merged, rejected, without_message AS "withoutMessage", lost, rewound, retried, purged
  FROM kpi_consumer_offsets WHERE consumer_group = $1 AND topic = $2 ORDER BY partition`

export async function readRebuildPositions(session: RebuildSession, key: PositionKey): Promise<RebuildPosition[]> {
  return (await session.run<RebuildPosition>(selectPositions, [key.group, key.topic])).rows
}

/**
 * The positions, locked in the order in which a commit locks them: until the transaction ends nothing is merged,
 * retried, purged or pruned.
 */
export async function lockForRebuild(session: RebuildSession, key: PositionKey): Promise<RebuildPosition[]> {
  const { rows } = await session.run<RebuildPosition>(`${selectPositions} FOR UPDATE`, [key.group, key.topic])
  await session.run('SELECT FROM kpi_pruned FOR SHARE')
  return rows
}

export interface RebuildDependencies {
  readonly definition: HeldDefinition
  readonly gaps: readonly RecordedGap[]
  /** Windows before this are not rebuilt; microseconds. */
  readonly floorUs: number
  readonly prunedMessages: number
}

/** @throws KpiError `KPI_SCHEMA_MISSING`. */
export async function readDependencies(session: RebuildSession): Promise<RebuildDependencies> {
  const definition = (await session.run<HeldDefinition>(selectDefinition)).rows[0]
  if (!definition) {
    throw new KpiError('KPI_SCHEMA_MISSING', `the database at ${session.place} is not prepared: run 'market-kpi init'`)
  }
  const { consumerGroup, topic } = definition
  const gaps = (await session.run<RecordedGap>(selectGaps, [consumerGroup, topic])).rows
  const floor = (await session.run<{ floorUs: number; prunedMessages: number }>(selectFloor)).rows[0]
  return { definition, gaps, floorUs: floor?.floorUs ?? 0, prunedMessages: floor?.prunedMessages ?? 0 }
}

/** Merges partials into the shadow. */
export async function mergeIntoShadow(
  session: RebuildSession,
  definition: Pick<Definition, 'windowSeconds' | 'decimals'>,
  rows: readonly PartialRow[],
): Promise<void> {
  if (rows.length === 0) return
  const { text, values } = mergeStatement(rows, definition)
  await session.run(text, values)
}
