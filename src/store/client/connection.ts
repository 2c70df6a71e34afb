import { readFileSync } from 'node:fs'
import pg from 'pg'
import type { Config } from '../../config/load.ts'
import { KpiError, messageOf } from '../../errors.ts'
import { AcquireMeter } from './acquire-meter.ts'
import { postgresError } from './errors.ts'
import { refuseBorrowedSession } from './pooler.ts'
import { type SessionLimits, setUpSession } from './session.ts'

/** PostgreSQL returns bigint as text; every count and offset here is below 2^53. */
const bigintOid = 20
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === bigintOid ? (value: string) => Number(value) : pg.types.getTypeParser(oid, format as 'text'),
}

export interface PostgresOptions {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string | undefined
  readonly sslMode: Config['postgresSslMode']
  /** The PEM file of the certificates to trust; the system's where there is none. */
  readonly sslRootCert?: string | undefined
}

/** Of the transactions of the pipeline: longer than any plausible merge, shorter than an operator would wait. */
const usualLimits: SessionLimits = { statementTimeoutMs: 60_000, lockTimeoutMs: 30_000, idleInTransactionMs: 60_000 }
const connectTimeoutMs = 5_000
/** How long a query that is under way may hold up the end of a pool. */
const closeTimeoutMs = 1_000
/** A server that disappeared without closing the connection is detected in a minute or two, not after the system's two hours. */
const keepAliveDelayMs = 10_000

/**
 * The database's part of the configuration.
 *
 * @throws KpiError `KPI_CONFIG_INVALID` when neither DATABASE_URL nor POSTGRES_HOST is set, or the address is unusable.
 */
export function postgresOptions(config: Config): PostgresOptions {
  if (config.databaseUrl !== undefined) return fromUrl(config.databaseUrl, config)
  if (config.postgresHost === undefined) {
    if (config.missingServers) throw config.missingServers
    throw new KpiError(
      'KPI_CONFIG_INVALID',
      'neither DATABASE_URL nor POSTGRES_HOST is set: name the database server, or no server at all to use those of a running `up`',
    )
  }
  return {
    host: config.postgresHost,
    port: config.postgresPort,
    database: config.postgresDb,
    user: config.postgresUser,
    password: config.postgresPassword,
    sslMode: config.postgresSslMode,
    sslRootCert: config.postgresSslCa,
  }
}

const readerRole = 'bi_reader'

/** The same database as the role that may only read it, for statements that a user wrote. */
export function readerOptions(config: Config): PostgresOptions {
  const options = postgresOptions(config)
  if (options.user === readerRole) return options
  return { ...options, user: readerRole, password: config.readerRolePassword }
}

const sslModes: readonly string[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full']

function fromUrl(text: string, config: Config): PostgresOptions {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const sslMode = url?.searchParams.get('sslmode') ?? config.postgresSslMode
  if (!url?.hostname || !sslModes.includes(sslMode) || !isDecodable(url)) {
    throw new KpiError(
      'KPI_CONFIG_INVALID',
      'DATABASE_URL=(hidden): must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
    )
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port ? Number(url.port) : 5432,
    database: decodeURIComponent(url.pathname.slice(1)) || config.postgresDb,
    user: decodeURIComponent(url.username) || config.postgresUser,
    password: url.password ? decodeURIComponent(url.password) : config.postgresPassword,
    sslMode: sslMode as PostgresOptions['sslMode'],
    sslRootCert: url.searchParams.get('sslrootcert') ?? config.postgresSslCa,
  }
}

/** A bare `%` in a password, which has to be written as `%25`, passes as an address. */
function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    return [username, password, pathname].map(decodeURIComponent).length > 0
  } catch {
    return false
  }
}

/** `HOST:PORT/DATABASE`, for error lines. */
export function placeOf(options: PostgresOptions): string {
  return `${options.host}:${options.port}/${options.database}`
}

/**
 * The options of node-postgres for ours. `prefer` starts without TLS here; {@link settleSslMode} finds out whether the server
 * requires it.
 */
export function clientConfig(options: PostgresOptions, applicationName: string): pg.ClientConfig {
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    ...(options.password === undefined ? {} : { password: options.password }),
    ssl: tlsOptions(options),
    types,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: usualLimits.statementTimeoutMs + usualLimits.lockTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
  }
}

/**
 * What comes first on every connection: the settings of the session, and that it is one of our own.
 *
 * @throws KpiError `KPI_POSTGRES_POOLED`, and whatever the server answers.
 */
export async function startSession(
  client: pg.Client,
  options: PostgresOptions,
  limits: SessionLimits = usualLimits,
): Promise<void> {
  const answering = await setUpSession(client, limits)
  const config = clientConfig(options, 'market-kpi')
  await refuseBorrowedSession(client, answering, { place: placeOf(options), config })
}

function tlsOptions({ sslMode, sslRootCert }: PostgresOptions): pg.ClientConfig['ssl'] {
  if (sslMode === 'disable' || sslMode === 'prefer') return false
  if (sslMode === 'require') return { rejectUnauthorized: false }
  return {
    rejectUnauthorized: true,
    ...(sslRootCert === undefined ? {} : { ca: readRootCertificates(sslRootCert) }),
    ...(sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  }
}

function readRootCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new KpiError('KPI_CONFIG_INVALID', `POSTGRES_SSL_CA=${path}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * `prefer`, as libpq means it: TLS where the server has it, plain otherwise. Answers with the mode that works.
 *
 * @throws KpiError when the server cannot be reached at all, refuses the login or lacks the database.
 */
export async function settleSslMode(options: PostgresOptions): Promise<PostgresOptions> {
  if (options.sslMode !== 'prefer') return options
  const withTls = { ...options, sslMode: 'require' as const }
  try {
    await withClient(withTls, async () => undefined)
    return withTls
  } catch (error) {
    const noTls = error instanceof KpiError && /does not support SSL/.test(String(error.cause))
    if (noTls) return { ...options, sslMode: 'disable' }
    throw error
  }
}

/** Runs something on a connection of its own. */
export async function withClient<T>(
  given: PostgresOptions,
  work: (client: pg.Client) => Promise<T>,
  limits: SessionLimits = usualLimits,
): Promise<T> {
  const options = await settleSslMode(given)
  const client = new pg.Client(clientConfig(options, 'market-kpi'))
  // A connection that breaks between two queries emits an event; the next query reports the error again.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await startSession(client, options, limits)
    return await work(client)
  } catch (error) {
    throw postgresError(error, placeOf(options))
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** A pool and the address of its server. */
export interface Database {
  readonly pool: pg.Pool
  readonly place: string
  /** Runs one statement; throws our errors only. */
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<R[]>
  /** The longest wait for a connection since this was last asked for, milliseconds. */
  takeLongestAcquireMs(): number
  /** The time in which at least one query waited for a connection, since the pool was opened; milliseconds. */
  acquireWaitedMs(): number
  /** Runs statements in one transaction on one connection. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
  /** A query that is still under way after a second loses its connection; whether it took effect is then unknown. */
  close(): Promise<void>
}

/**
 * Opens a pool, after one connection has shown that the server can be reached.
 *
 * @param pooled.queryTimeoutMs - After so long without an answer a query fails and its connection is given up.
 *   @defaultValue a minute and a half, what a transaction may take
 * @throws KpiError `KPI_POSTGRES_UNREACHABLE`, `KPI_POSTGRES_AUTH`, `KPI_DATABASE_MISSING`.
 */
export async function openDatabase(
  given: PostgresOptions,
  pooled: { maxConnections: number; applicationName: string; queryTimeoutMs?: number },
): Promise<Database> {
  const options = await settleSslMode(given)
  // Not by the pool: it does not close the sockets of refused logins, which costs the server one session per minute.
  await withClient(options, (client) => client.query('SELECT 1'))
  const place = placeOf(options)
  const { maxConnections: max, applicationName, queryTimeoutMs } = pooled
  const timeout = queryTimeoutMs === undefined ? {} : { query_timeout: queryTimeoutMs }
  const onConnect = (client: pg.ClientBase) => startSession(client as pg.Client, options)
  const pool = new pg.Pool({ ...clientConfig(options, applicationName), ...timeout, max, onConnect })
  pool.on('error', () => undefined)
  const clients = new Set<pg.PoolClient>()
  const acquiring = new AcquireMeter()
  pool.on('acquire', acquiring.served)
  pool.on('connect', (client) => clients.add(client))
  pool.on('remove', (client) => clients.delete(client))
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw postgresError(error, place)
    }
  }
  return {
    pool,
    place,
    query: (query) => guarded(async () => (await acquiring.measure(() => pool.query(query))).rows),
    transaction: (work) => guarded(() => acquiring.measure(() => inTransaction(pool, work))),
    takeLongestAcquireMs: () => acquiring.takeLongestMs(),
    acquireWaitedMs: () => acquiring.waitedMs,
    close: () => closePool(pool, clients),
  }
}

/** Closing a pool waits for its queries: up to a minute and a half when the server no longer answers. */
async function closePool(pool: pg.Pool, clients: ReadonlySet<pg.PoolClient>): Promise<void> {
  const timer = setTimeout(() => {
    // With a query under way this destroys the socket.
    for (const client of clients) if (client instanceof pg.Client) void client.end()
  }, closeTimeoutMs)
  await pool.end()
  clearTimeout(timer)
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  // The pool does not listen to a connection in use, and an 'error' event without a listener ends the process.
  const noteBroken = (error: Error) => {
    broken = error
  }
  client.on('error', noteBroken)
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    if (broken === undefined) await client.query('ROLLBACK').catch(noteBroken)
    throw error
  } finally {
    client.off('error', noteBroken)
    client.release(broken)
  }
}
