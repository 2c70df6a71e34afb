import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { assert, KpiError } from '../../../../src/errors.ts'
import { postgresError } from '../../../../src/store/client/errors.ts'

const where = 'db:5432/bi'

function databaseError(code: string, message = 'its own words'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 1, 'error'), { code })
}

describe('postgresError', () => {
  it.each([
    ['KP001', 'KPI_POSITION_MOVED', true],
    ['KP002', 'KPI_DEFINITION_MISMATCH', false],
    // connection exceptions
    ['08000', 'KPI_POSTGRES_UNREACHABLE', true],
    ['08003', 'KPI_POSTGRES_UNREACHABLE', true],
    ['08006', 'KPI_POSTGRES_UNREACHABLE', true],
    ['08P01', 'KPI_POSTGRES_UNREACHABLE', true],
    // rollbacks
    ['40001', 'KPI_POSTGRES_UNREACHABLE', true],
    ['40003', 'KPI_POSTGRES_UNREACHABLE', true],
    ['40P01', 'KPI_POSTGRES_UNREACHABLE', true],
    ['40002', 'KPI_POSTGRES_QUERY', false],
    // resources
    ['53000', 'KPI_POSTGRES_UNREACHABLE', true],
    ['53100', 'KPI_DISK_FULL', true],
    ['53200', 'KPI_POSTGRES_UNREACHABLE', true],
    ['53300', 'KPI_POSTGRES_UNREACHABLE', true],
    ['53400', 'KPI_POSTGRES_UNREACHABLE', true],
    // operators
    ['57014', 'KPI_POSTGRES_UNREACHABLE', true],
    ['57P01', 'KPI_POSTGRES_UNREACHABLE', true],
    ['57P02', 'KPI_POSTGRES_UNREACHABLE', true],
    ['57P03', 'KPI_POSTGRES_UNREACHABLE', true],
    ['57P04', 'KPI_DATABASE_MISSING', false],
    ['57P05', 'KPI_POSTGRES_UNREACHABLE', true],
    // the system, locks, stand-bys
    ['58030', 'KPI_POSTGRES_UNREACHABLE', true],
    ['55P03', 'KPI_POSTGRES_UNREACHABLE', true],
    ['25006', 'KPI_POSTGRES_UNREACHABLE', true],
    ['25P03', 'KPI_POSTGRES_UNREACHABLE', true],
    ['25P04', 'KPI_POSTGRES_UNREACHABLE', true],
    ['XX000', 'KPI_POSTGRES_UNREACHABLE', true],
    ['XX001', 'KPI_POSTGRES_QUERY', false],
    // who and where
    ['28000', 'KPI_POSTGRES_AUTH', false],
    ['28P01', 'KPI_POSTGRES_AUTH', false],
    ['3D000', 'KPI_DATABASE_MISSING', false],
    ['3F000', 'KPI_SCHEMA_MISSING', false],
    ['42501', 'KPI_POSTGRES_RIGHTS', false],
    ['42P01', 'KPI_SCHEMA_MISSING', false],
    ['42703', 'KPI_SCHEMA_MISSING', false],
    ['42883', 'KPI_SCHEMA_MISSING', false],
    ['42P10', 'KPI_SCHEMA_MISSING', false],
    // the statement
    ['42601', 'KPI_POSTGRES_QUERY', false],
    ['22003', 'KPI_POSTGRES_QUERY', false],
    ['22021', 'KPI_POSTGRES_QUERY', false],
    ['23505', 'KPI_POSTGRES_QUERY', false],
    ['23514', 'KPI_POSTGRES_QUERY', false],
    ['21000', 'KPI_POSTGRES_QUERY', false],
  ])('%s is %s', (state, code, retryable) => {
    const thrown = databaseError(state)
    const error = postgresError(thrown, where)
    expect(error).toMatchObject({ code, retryable, cause: thrown })
    if (state !== 'KP002') expect(error.message).toContain('its own words')
    if (state !== 'KP001') expect(error.message).toContain(where)
  })

  it.each([
    ['42501', /POSTGRES|log in as bi_user/, false],
    ['3F000', /create the schema 'public'$/, false],
    ['42P01', /run 'market-kpi init'$/, true],
    ['3D000', /correct its name, or create it with 'market-kpi init'$/, true],
  ])('%s suggests what helps, and init only where it does', (state, hint, suggestsInit) => {
    const { message } = postgresError(databaseError(state), where)
    expect(message).toMatch(hint)
    expect(message.includes("'market-kpi init'")).toBe(suggestsInit)
  })

  it.each([
    ['connect ECONNREFUSED 127.0.0.1:1'],
    ['Connection terminated unexpectedly'],
    ['timeout exceeded when trying to connect'],
    ['Query read timeout'],
  ])('a lost connection is away for now: %s', (message) => {
    expect(postgresError(new Error(message), where)).toMatchObject({
      code: 'KPI_POSTGRES_UNREACHABLE',
      retryable: true,
      message: `PostgreSQL at ${where} does not answer: ${message}`,
    })
  })

  it('all addresses of a name fail with the first one’s words', () => {
    const thrown = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('other')], '')
    expect(postgresError(thrown, where).message).toContain('does not answer: connect ECONNREFUSED ::1:1')
  })

  it('a password that the client finds missing is a refused login', () => {
    const thrown = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
    expect(postgresError(thrown, where)).toMatchObject({ code: 'KPI_POSTGRES_AUTH', retryable: false })
  })

  it('our own errors stay, and our own mistakes are thrown on', () => {
    const own = new KpiError('KPI_LETTER_MISSING', 'no letter')
    expect(postgresError(own, where)).toBe(own)
    const mistakes = [
      () => assert(false, 'a promise'),
      () => (undefined as unknown as { x: string }).x,
      () => new Array(-1),
    ]
    for (const mistake of mistakes) {
      let thrown: unknown
      try {
        mistake()
      } catch (error) {
        thrown = error
      }
      expect(() => postgresError(thrown, where)).toThrow(thrown as Error)
    }
    const badAddress = Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' })
    expect(postgresError(badAddress, where)).toMatchObject({ code: 'KPI_POSTGRES_UNREACHABLE' })
  })
})
