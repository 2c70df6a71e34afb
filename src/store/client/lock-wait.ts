import pg from 'pg'
import { KpiError } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import { type PostgresOptions, placeOf, withClient } from './connection.ts'
import type { SessionLimits } from './session.ts'

/** Preparing a database waits no longer than this for a lock that another session holds. */
const lockTimeoutMs = 10_000
const preparing: SessionLimits = { statementTimeoutMs: 60_000, lockTimeoutMs, idleInTransactionMs: 0 }
/** Most preparations take less time than this and are not watched. */
const firstLookMs = 1000
const lookEveryMs = 500

interface Holder {
  readonly pid: number
  readonly role: string | null
  readonly application: string | null
  /** Null for a role that may not see it. */
  readonly since: Date | null
}

/** By pg_blocking_pids: also those that wait in front of us. */
const holders = `
  SELECT a.pid, a.usename AS role, a.application_name AS application, coalesce(a.xact_start, a.backend_start) AS since
  FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1)) ORDER BY since LIMIT 1`

/**
 * Runs work on a connection that waits at most ten seconds for a lock.
 *
 * @throws KpiError `KPI_DATABASE_LOCKED` that names who holds the lock.
 */
export async function withPatientClient<T>(
  options: PostgresOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  return withClient(
    options,
    async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      const watching = watchHolder(options, rows[0]?.pid ?? -1, stop.signal)
      try {
        return await work(client)
      } catch (error) {
        if (!isLockTimeout(error)) throw error
        stop.abort()
        throw locked(options, await watching, error)
      } finally {
        stop.abort()
        await watching
      }
    },
    preparing,
  )
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '55P03'
}

function locked(options: PostgresOptions, holder: Holder | undefined, cause: unknown): KpiError {
  const whose = holder === undefined ? 'another session' : wordsOf(holder)
  return new KpiError(
    'KPI_DATABASE_LOCKED',
    `PostgreSQL at ${placeOf(options)}: waited ${lockTimeoutMs / 1000} s for a lock that ${whose} holds: wait for that session or end it, then try again`,
    { cause },
  )
}

function wordsOf({ pid, role, application, since }: Holder): string {
  const named = application ? [`application '${application}'`] : []
  const when = since === null ? [] : [`since ${since.toISOString()}`]
  return `the role '${role ?? 'unknown'}' (${[...named, `pid ${pid}`, ...when].join(', ')})`
}

/** Asks on a second connection which session the first one waits for, until it is stopped. @returns The last one seen. */
async function watchHolder(options: PostgresOptions, pid: number, stop: AbortSignal): Promise<Holder | undefined> {
  let last: Holder | undefined
  await pause(firstLookMs, stop)
  if (stop.aborted) return undefined
  try {
    await withClient(options, async (client) => {
      while (!stop.aborted) {
        const { rows } = await client.query<Holder>(holders, [pid])
        last = rows[0] ?? last
        await pause(lookEveryMs, stop)
      }
    })
  } catch {
    // Naming the holder is useful, but a failure to do so must not fail the work.
  }
  return last
}
