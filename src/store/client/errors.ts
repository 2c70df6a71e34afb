import pg from 'pg'
import { certificateProblem, type ErrorCode, isOwnMistake, KpiError, messageOf } from '../../errors.ts'

/** Classes of SQLSTATEs (their first two characters) that are no lasting fault of the statement. */
const retryableClasses = new Set([
  '08', // connection exceptions
  '53', // insufficient resources: memory, connections
  '57', // operator intervention: shutdown, start-up, recovery, timeouts
  '58', // system errors: input and output
])

/** Others after which the same transaction may simply be tried again. */
const retryableStates = new Set([
  '40001', // serialization failure
  '40003', // statement completion unknown: trying again finds out
  '40P01', // deadlock
  '55P03', // lock not available (lock_timeout)
  '25006', // read-only transaction: a standby that is being promoted
  '25P03', // idle in a transaction for too long: the worker was paused
  '25P04', // the transaction took too long
  'XX000', // internal error: seen while a server goes down
])

/** The table, function or column that a statement names is not there, or not as a newer market-kpi has it. */
const schemaStates = new Set(['42P01', '42883', '42703', '42P10'])

const authStates = new Set(['28000', '28P01'])

/** Raised by kpi_commit; see migrations/0009_leader-epochs.sql. */
const positionMoved = 'KP001'
const definitionChanged = 'KP002'

/**
 * Converts an error of the database or of the connection to it into one of our errors. Our own mistakes are thrown as they are.
 *
 * @param where - Names the server: HOST:PORT/DATABASE.
 */
export function postgresError(thrown: unknown, where: string): KpiError {
  if (thrown instanceof KpiError) return thrown
  if (isOwnMistake(thrown)) throw thrown
  const state = thrown instanceof pg.DatabaseError ? thrown.code : undefined
  const make = (code: ErrorCode, text: string) => new KpiError(code, text, { cause: thrown })
  // The client's own words for a password that is missing or wrong, or a server that does not prove it knows it.
  if (authStates.has(state ?? '') || (state === undefined && /^SASL: /.test(messageOf(thrown)))) {
    return make(
      'KPI_POSTGRES_AUTH',
      `PostgreSQL at ${where} refused the login (${messageOf(thrown)}): check POSTGRES_USER and POSTGRES_PASSWORD, or DATABASE_URL`,
    )
  }
  if (state === undefined)
    return make('KPI_POSTGRES_UNREACHABLE', `PostgreSQL at ${where} ${connectionProblem(thrown)}`)
  if (state === positionMoved) return make('KPI_POSITION_MOVED', messageOf(thrown))
  if (state === definitionChanged)
    return make('KPI_DEFINITION_MISMATCH', `the database at ${where} now holds another definition`)
  if (state === '3D000' || state === '57P04')
    return make(
      'KPI_DATABASE_MISSING',
      `${messageOf(thrown)} at ${where}: correct its name, or create it with 'market-kpi init'`,
    )
  // Not by 'init': it grants the two roles what they need, and nothing to any other.
  if (state === '42501')
    return make(
      'KPI_POSTGRES_RIGHTS',
      `PostgreSQL at ${where}: ${messageOf(thrown)}; log in as bi_user, or for 'init' as a role that may create databases and roles`,
    )
  if (state === '3F000')
    return make(
      'KPI_SCHEMA_MISSING',
      `${messageOf(thrown)} at ${where}: let the database's owner create the schema 'public'`,
    )
  if (schemaStates.has(state)) {
    return make(
      'KPI_SCHEMA_MISSING',
      `the schema at ${where} is missing or old (${messageOf(thrown)}): run 'market-kpi init'`,
    )
  }
  if (state === '53100') return make('KPI_DISK_FULL', `PostgreSQL at ${where}: ${messageOf(thrown)}; free some space`)
  if (retryableStates.has(state) || retryableClasses.has(state.slice(0, 2)))
    return make('KPI_POSTGRES_UNREACHABLE', `PostgreSQL at ${where}: ${messageOf(thrown)} (${state})`)
  return make('KPI_POSTGRES_QUERY', `PostgreSQL at ${where}: ${messageOf(thrown)} (${state})`)
}

function connectionProblem(thrown: unknown): string {
  // A host name with several addresses fails with all their errors in one.
  const reason: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown
  const untrusted = certificateProblem(reason)
  if (untrusted !== undefined) return `shows a certificate that is not trusted (${untrusted}): check POSTGRES_SSL_CA`
  return `does not answer: ${messageOf(reason)}`
}
