import { KpiError, messageOf } from '../../errors.ts'
import { withDeadline } from '../../runtime/abort.ts'
import type { PostgresOptions } from './connection.ts'
import { withProbe } from './probe.ts'

/** Asks one question that changes nothing. */
export type ReadOnlyQuery = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>

const limits = { connectTimeoutMs: 2500, statementTimeoutMs: 2000, applicationName: 'market-kpi user rules' }

/**
 * Runs queries that a user wrote: each in its own read-only transaction with a limit of two seconds, whatever the role may do.
 *
 * @param options - `late` is thrown after `timeoutMs`.
 * @throws KpiError
 */
export async function withReadOnlySession<T>(
  postgres: PostgresOptions,
  options: { readonly timeoutMs: number; readonly late: KpiError },
  work: (query: ReadOnlyQuery) => Promise<T>,
): Promise<T> {
  return withDeadline({ ms: options.timeoutMs, error: options.late }, (signal) =>
    withProbe(postgres, limits, signal, (probe) =>
      work(async (text, values = []) => {
        await probe.query('BEGIN READ ONLY')
        // This undoes what the query has set; if the session has ended, the query's own error reports it.
        const undo = () => probe.query('ROLLBACK')
        const rows = await probe.query(text, values).catch(async (error: unknown) => {
          await undo().catch(() => undefined)
          throw inServersWords(error)
        })
        await undo()
        return rows
      }),
    ),
  )
}

/** A missing table in a user's query is not a fault of the schema, which `init` would repair. */
function inServersWords(error: unknown): unknown {
  if (!(error instanceof KpiError)) return error
  if (error.code !== 'KPI_SCHEMA_MISSING' && error.code !== 'KPI_POSTGRES_RIGHTS') return error
  return new KpiError('KPI_POSTGRES_QUERY', messageOf(error.cause), { cause: error.cause })
}
