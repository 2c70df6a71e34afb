// The passwords of roles: what the server gets of them, and what it writes to its log. On a server of its own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { ownerRole, type PostgresServer, startPostgres } from '../../../src/embedded/postgres/postgres-server.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { isVerifierOf, scramVerifier } from '../../../src/store/schema/scram-verifier.ts'
import { silentLog } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'market-kpi-passwords-'))
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres({
    dataDir: folder,
    logsDir: join(folder, 'logs'),
    log: silentLog,
    settings: { log_statement: 'all', log_connections: 'on', password_encryption: 'md5', log_min_messages: 'debug2' },
  })
})

afterAll(async () => {
  await server.stop(8000)
  rmSync(folder, { recursive: true, force: true })
})

const serverLog = () => readFileSync(join(folder, 'logs', 'postgres.log'), 'utf8')

function optionsOf(url: string) {
  return postgresOptions(loadConfig({ env: { DATABASE_URL: url, POSTGRES_SSLMODE: 'disable' } }))
}

async function asOwner<T>(work: (client: pg.Client) => Promise<T>, database = 'postgres'): Promise<T> {
  const client = new pg.Client({ connectionString: server.url(ownerRole, database) })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function logsIn(user: string, password: string): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user, password, database: 'postgres' })
  client.on('error', () => undefined)
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  )
}

const verifierOf = (role: string) =>
  asOwner(async (client) => {
    const { rows } = await client.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [role])
    return String(rows[0]?.rolpassword)
  })

it('none stands in the log, whatever the server logs; one that is unchanged is left alone', async () => {
  const passwords = { bi_user: "s3cret-of-'bi_user'", bi_reader: 'geheim-\u00e4\u00f6\u00fc-reader' }
  const options = optionsOf(server.url(ownerRole))
  await prepareSchema(options, passwords)
  for (const [role, password] of Object.entries(passwords)) expect(await logsIn(role, password), role).toBe(true)
  const before = [await verifierOf('bi_user'), await verifierOf('bi_reader')]
  expect(await prepareSchema(options, passwords)).toEqual([])
  expect([await verifierOf('bi_user'), await verifierOf('bi_reader')]).toEqual(before)
  expect(await prepareSchema(options, { ...passwords, bi_user: 'another-one' })).toEqual([
    "set the password of the role 'bi_user'",
  ])
  expect(await logsIn('bi_user', 'another-one')).toBe(true)
  await until('logged', serverLog, (text) => /ALTER ROLE bi_user LOGIN PASSWORD/.test(text))
  const log = serverLog()
  const secrets = [...Object.values(passwords), 's3cret', 'geheim', 'another-one', ...Object.values(server.secrets)]
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([])
  expect(log.match(/PASSWORD 'SCRAM-SHA-256\$/g)).toHaveLength(3)
})

it('an owner who may not read verifiers finds out by logging in', async () => {
  const owner = 'plain-owner'
  await asOwner(async (client) => {
    await client.query(`CREATE ROLE "${owner}" LOGIN CREATEROLE PASSWORD '${scramVerifier('x')}'`)
    await client.query(`GRANT bi_user, bi_reader TO "${owner}" WITH ADMIN OPTION`)
    await client.query(`CREATE DATABASE "of-plain-owner" OWNER "${owner}"`)
  })
  const url = new URL(server.url(ownerRole, 'of-plain-owner'))
  url.username = owner
  url.password = 'x'
  const options = optionsOf(url.href)
  await prepareSchema(options, { bi_user: 'one' })
  const before = await verifierOf('bi_user')
  expect(isVerifierOf(before, 'one')).toBe(true)
  expect(await prepareSchema(options, { bi_user: 'one' })).toEqual([])
  expect(await verifierOf('bi_user')).toBe(before)
  expect(await prepareSchema(options, { bi_user: 'two' })).toEqual(["set the password of the role 'bi_user'"])
  expect(isVerifierOf(await verifierOf('bi_user'), 'two')).toBe(true)
})

it('a database is created while somebody is connected to template1', async () => {
  await asOwner(async () => {
    const options = optionsOf(server.url(ownerRole, 'made-meanwhile'))
    expect(await prepareSchema(options, {})).toContain("created the database 'made-meanwhile'")
  }, 'template1')
})

it.each([
  'plain',
  'with space',
  "it's \\ quoted",
  '\u00e4\u00df\u20ac',
  'a\u0308',
  '\u2168',
  '\u00aa',
  'I\u00adX',
  'a\u00a0b',
  'a\u200bb',
  '\u0007bell',
  '\u06271',
  '\u0627\u0628',
  '\ud83d\udd11 key',
  '\ufb01',
  '\u0221',
  '\u00ad',
])('a verifier is what the server itself makes of %j', async (password) => {
  await asOwner(async (client) => {
    await client.query(`SET password_encryption = 'scram-sha-256'`)
    await client.query('DROP ROLE IF EXISTS somebody')
    await client.query(`CREATE ROLE somebody PASSWORD ${pg.escapeLiteral(password)}`)
  })
  expect(isVerifierOf(await verifierOf('somebody'), password)).toBe(true)
})
