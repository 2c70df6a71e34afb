import pg from 'pg'
import { type ErrorCode, KpiError, messageOf } from '../errors.ts'

/** SQLSTATEs after which the same transaction may simply be tried again, and by themselves say nothing lasting. */
const retryableStates = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available (lock_timeout)
  '57014', // query cancelled (statement_timeout)
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // cannot connect now (starting up, in recovery)
  '57P05', // idle session timeout
  '53000', // insufficient resources
  '53100', // disk full
  '53200', // out of memory
  '53300', // too many connections
  '58030', // I/O error
  '25006', // read-only transaction: a standby that is being promoted
  '08000',
  '08001',
  '08003',
  '08004',
  '08006', // connection exceptions
  'XX000', // internal error: seen while a server goes down
])

const authStates = new Set(['28000', '28P01'])

/** Raised by kpi_commit; see migrations/0002_commit.sql. */
const positionMoved = 'KP001'
const definitionChanged = 'KP002'

/** Whatever the database or the way to it threw, as one of our errors. `where` names the server: HOST:PORT/DATABASE. */
export function postgresError(thrown: unknown, where: string): KpiError {
  if (thrown instanceof KpiError) return thrown
  const state = thrown instanceof pg.DatabaseError ? thrown.code : undefined
  const make = (code: ErrorCode, text: string) => new KpiError(code, text, { cause: thrown })
  if (state === undefined)
    return make('KPI_POSTGRES_UNREACHABLE', `PostgreSQL at ${where} does not answer: ${causeOf(thrown)}`)
  if (state === positionMoved) return make('KPI_POSITION_MOVED', messageOf(thrown))
  if (state === definitionChanged)
    return make('KPI_DEFINITION_MISMATCH', `the database at ${where} now holds another definition`)
  if (authStates.has(state)) {
    return make(
      'KPI_POSTGRES_AUTH',
      `PostgreSQL at ${where} refused the login (${messageOf(thrown)}): check POSTGRES_USER and POSTGRES_PASSWORD, or DATABASE_URL`,
    )
  }
  if (state === '3D000')
    return make('KPI_DATABASE_MISSING', `${messageOf(thrown)} at ${where}: create it with 'market-kpi init'`)
  if (state === '42501')
    return make(
      'KPI_POSTGRES_RIGHTS',
      `PostgreSQL at ${where}: ${messageOf(thrown)}; let its owner run 'market-kpi init'`,
    )
  if (state === '42P01' || state === '42883' || state === '42703') {
    return make(
      'KPI_SCHEMA_MISSING',
      `the schema at ${where} is missing or old (${messageOf(thrown)}): run 'market-kpi init'`,
    )
  }
  if (state === '53100') return make('KPI_DISK_FULL', `PostgreSQL at ${where}: ${messageOf(thrown)}; free some space`)
  if (retryableStates.has(state))
    return make('KPI_POSTGRES_UNREACHABLE', `PostgreSQL at ${where}: ${messageOf(thrown)} (${state})`)
  return make('KPI_POSTGRES_QUERY', `PostgreSQL at ${where}: ${messageOf(thrown)} (${state})`)
}

function causeOf(thrown: unknown): string {
  // A host name with several addresses fails with all their errors in one.
  const inner = thrown instanceof AggregateError ? thrown.errors[0] : thrown
  return messageOf(inner)
}
