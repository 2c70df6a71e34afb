import type pg from 'pg'

/** How long a session may work and wait, milliseconds. */
export interface SessionLimits {
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleInTransactionMs: number
}

/**
 * What every session is set to, whatever ALTER ROLE, ALTER DATABASE or postgresql.conf say: all settings that change what a
 * statement means, or how its result is written. `search_path` holds no schema in which others could put a table, function
 * or operator of the same name; pg_catalog comes before it by itself, and temporary tables before both.
 */
const settings: Readonly<Record<string, string>> = {
  search_path: 'public',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  client_encoding: 'UTF8',
  extra_float_digits: '1',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  xmloption: 'content',
  row_security: 'on',
  check_function_bodies: 'on',
  client_min_messages: 'warning',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  idle_session_timeout: '0',
  // Only from PostgreSQL 17 on.
  transaction_timeout: '0',
}

/** How long the first statement may take, which only sets variables. */
const firstStatementMs = 5000

/**
 * Sets up a session that has just been connected. Not by start-up parameters: PgBouncer refuses a connection that sends one
 * which it does not know, or drops it.
 *
 * @returns The process of the server that answers.
 */
export async function setUpSession(client: pg.ClientBase, limits: SessionLimits): Promise<number> {
  const all = Object.entries({
    ...settings,
    statement_timeout: String(limits.statementTimeoutMs),
    lock_timeout: String(limits.lockTimeoutMs),
    idle_in_transaction_session_timeout: String(limits.idleInTransactionMs),
  })
  const values = all.map(([name, value]) => `('${name}', '${value}')`).join(', ')
  // Names are qualified: until this is done, the search path may be set by another role.
  const text = `SELECT pg_catalog.max(pg_catalog.pg_backend_pid()) AS pid,
      pg_catalog.count(pg_catalog.set_config(s.name, s.value, false)) AS settings
    FROM (VALUES ${values}) AS s(name, value) WHERE pg_catalog.current_setting(s.name, true) IS NOT NULL`
  const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: firstStatementMs }
  const { rows } = await client.query<{ pid: number }>(query)
  return rows[0]?.pid ?? -1
}
