import pg from 'pg'
import { KpiError } from '../../errors.ts'
import { clientConfig, type PostgresOptions, placeOf, startSession } from './connection.ts'
import { postgresError } from './errors.ts'

/** Runs queries one by one over one connection. */
export interface Probe {
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>
}

export interface ProbeLimits {
  readonly connectTimeoutMs: number
  /** The limit of one statement: then the server cancels it, or the client gives up the server. */
  readonly statementTimeoutMs: number
  readonly applicationName: string
}

/** A server that answers closes the connection at once. */
const endTimeoutMs = 200
/** For a session that is idle in a transaction. */
const idleInTransactionMs = 60_000

/**
 * Runs queries on a fresh connection to find out whether and how the server answers: everything has a short limit, and an
 * abort ends it at once, even when the server is frozen.
 *
 * @throws KpiError, or the signal's reason.
 */
export async function withProbe<T>(
  options: PostgresOptions,
  limits: ProbeLimits,
  signal: AbortSignal,
  work: (probe: Probe) => Promise<T>,
): Promise<T> {
  try {
    return await probeOnce(options, limits, signal, work)
  } catch (error) {
    const hasNoTls = error instanceof KpiError && /does not support SSL/.test(String(error.cause))
    if (options.sslMode !== 'prefer' || !hasNoTls) throw error
    return probeOnce({ ...options, sslMode: 'disable' }, limits, signal, work)
  }
}

async function probeOnce<T>(
  options: PostgresOptions,
  limits: ProbeLimits,
  signal: AbortSignal,
  work: (probe: Probe) => Promise<T>,
): Promise<T> {
  const { connectTimeoutMs, statementTimeoutMs, applicationName } = limits
  const settled: PostgresOptions = options.sslMode === 'prefer' ? { ...options, sslMode: 'require' } : options
  const client = new pg.Client({
    ...clientConfig(settled, applicationName),
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs + endTimeoutMs,
  })
  const sessionLimits = {
    statementTimeoutMs,
    lockTimeoutMs: statementTimeoutMs,
    idleInTransactionMs,
  }
  // A connection that breaks between two queries emits an event; the next query reports the error again.
  client.on('error', () => undefined)
  const cut = () => client.connection.stream.destroy()
  signal.addEventListener('abort', cut, { once: true })
  const place = placeOf(options)
  const ask = async <R>(question: () => Promise<R>): Promise<R> => {
    try {
      signal.throwIfAborted()
      return await question()
    } catch (error) {
      signal.throwIfAborted()
      throw postgresError(error, place)
    }
  }
  try {
    await ask(() => client.connect())
    await ask(() => startSession(client, settled, sessionLimits))
    return await work({
      query: <R extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
        ask(async () => (await client.query<R>(text, values)).rows),
    })
  } finally {
    signal.removeEventListener('abort', cut)
    await end(client)
  }
}

async function end(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), endTimeoutMs)
  await client.end().catch(() => undefined)
  clearTimeout(timer)
}
