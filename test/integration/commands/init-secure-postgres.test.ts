// TLS to PostgreSQL, in the words of libpq.
import { chmodSync, chownSync, copyFileSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { ownerRole, type PostgresServer, startPostgres } from '../../../src/embedded/postgres/postgres-server.ts'
import { openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { silentLog } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { type Certificates, type KeyPair, makeCertificates } from '../servers/certificates.ts'

const folder = temporaryFolder()
let certificates: Certificates
let postgres: PostgresServer

beforeAll(async () => {
  mkdirSync(join(folder.path, 'certificates'))
  certificates = makeCertificates(join(folder.path, 'certificates'))
  postgres = await startPostgres({ dataDir: folder.path, logsDir: join(folder.path, 'logs'), log: silentLog })
})
afterAll(async () => {
  await postgres?.stop(8000)
  folder[Symbol.dispose]()
})

/** Runs one query with these settings. */
async function ask<R extends object>(text: string, env: Record<string, string>): Promise<R | undefined> {
  const url = postgres.url(ownerRole, 'postgres')
  const config = loadConfig({ env: { DATABASE_URL: url, ...env } })
  const database = await openDatabase(postgresOptions(config), {
    maxConnections: 1,
    applicationName: 'market-kpi test',
  })
  try {
    return (await database.query<R>({ text }))[0]
  } finally {
    await database.close()
  }
}

async function isEncrypted(env: Record<string, string>): Promise<boolean | undefined> {
  const found = await ask<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', env)
  return found?.ssl
}

/** Gives the running server a certificate, or takes TLS away. */
async function serve(pair: KeyPair | undefined): Promise<void> {
  const storage = join(folder.path, 'postgres')
  const { uid, gid } = statSync(storage)
  for (const [from, name] of pair
    ? ([
        [pair.cert, 'server.crt'],
        [pair.key, 'server.key'],
      ] as const)
    : []) {
    const path = join(storage, name)
    copyFileSync(from, path)
    chownSync(path, uid, gid)
    chmodSync(path, 0o600)
  }
  const plain = { POSTGRES_SSLMODE: 'prefer' }
  await ask(`ALTER SYSTEM SET ssl = ${pair ? 'on' : 'off'}`, plain)
  await ask('SELECT pg_reload_conf()', plain)
  await until(
    'reloaded',
    () => isEncrypted(plain),
    (encrypted) => encrypted === (pair !== undefined),
  )
}

const refused = (message: string) => ({ code: 'KPI_POSTGRES_UNREACHABLE', message: expect.stringContaining(message) })
const withCa = () => ({ POSTGRES_SSL_CA: certificates.ca })

describe('a server without TLS', () => {
  it.each(['disable', 'prefer'])('serves %s', async (mode) => {
    expect(await isEncrypted({ POSTGRES_SSLMODE: mode })).toBe(false)
  })

  it.each(['require', 'verify-ca', 'verify-full'])('is no server for %s', async (mode) => {
    await expect(isEncrypted({ POSTGRES_SSLMODE: mode, ...withCa() })).rejects.toMatchObject(
      refused('The server does not support SSL connections'),
    )
  })
})

describe('a server with a certificate of a private authority', () => {
  beforeAll(() => serve(certificates.server))

  it.each([
    ['prefer', true],
    ['require', true],
    ['disable', false],
  ])('%s: encrypted is %s', async (mode, encrypted) => {
    expect(await isEncrypted({ POSTGRES_SSLMODE: mode })).toBe(encrypted)
  })

  it.each(['verify-ca', 'verify-full'])('%s trusts it by POSTGRES_SSL_CA', async (mode) => {
    expect(await isEncrypted({ POSTGRES_SSLMODE: mode, ...withCa() })).toBe(true)
  })

  it.each(['verify-ca', 'verify-full'])('%s does not trust it without', async (mode) => {
    const { port } = postgres
    await expect(isEncrypted({ POSTGRES_SSLMODE: mode })).rejects.toMatchObject(
      refused(`PostgreSQL at 127.0.0.1:${port}/postgres shows a certificate that is not trusted (`),
    )
  })

  it('the address may hold both, as libpq has it', async () => {
    const url = new URL(postgres.url(ownerRole, 'postgres'))
    url.searchParams.set('sslmode', 'verify-full')
    url.searchParams.set('sslrootcert', certificates.ca)
    expect(await isEncrypted({ DATABASE_URL: url.href, POSTGRES_SSLMODE: 'disable' })).toBe(true)
  })

  it('a file that cannot be read is told', async () => {
    await expect(isEncrypted({ POSTGRES_SSLMODE: 'verify-ca', POSTGRES_SSL_CA: '/nowhere.pem' })).rejects.toMatchObject(
      {
        code: 'KPI_CONFIG_INVALID',
        message: expect.stringMatching(/^POSTGRES_SSL_CA=\/nowhere.pem: ENOENT/),
      },
    )
  })

  it('a wrong password is told as one, over TLS too', async () => {
    const url = new URL(postgres.url(ownerRole, 'postgres'))
    url.password = 'hunter2'
    const env = { DATABASE_URL: url.href, POSTGRES_SSLMODE: 'prefer' }
    await expect(isEncrypted(env)).rejects.toMatchObject({ code: 'KPI_POSTGRES_AUTH' })
  })
})

describe('a certificate of another host', () => {
  beforeAll(() => serve(certificates.elsewhere))
  afterAll(() => serve(undefined))

  it('is enough for verify-ca', async () => {
    expect(await isEncrypted({ POSTGRES_SSLMODE: 'verify-ca', ...withCa() })).toBe(true)
  })

  it('is not for verify-full: one line of a command, with exit code 1', async () => {
    const url = postgres.url(ownerRole, 'postgres')
    const run = marketKpi(['dead-letters', 'list'], { DATABASE_URL: url, POSTGRES_SSLMODE: 'verify-full', ...withCa() })
    expect(await run.exited).toEqual({ code: 1, signal: null })
    expect(run.stderr()).toMatch(
      /^PostgreSQL at \S+ shows a certificate that is not trusted \([^\n]*altnames[^\n]*\): check POSTGRES_SSL_CA\n$/,
    )
  })
})
