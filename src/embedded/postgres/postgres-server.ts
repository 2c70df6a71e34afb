import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { Child, type ChildExit } from '../../process/child.ts'
import { startAtPort } from '../../process/ports.ts'
import { RotatingLog } from '../../process/rotating-log.ts'
import type { RunRecords } from '../../process/run-records.ts'
import { type PostgresOptions, withClient } from '../../store/client/connection.ts'
import { type PostgresAccount, postgresAccount } from './postgres-account.ts'
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { clearLeftovers } from './postgres-leftovers.ts'
import { loadSecrets, type Secrets } from './secrets.ts'

export const ownerRole = 'market_kpi_owner'
export const pipelineRole = 'bi_user'
export const readerRole = 'bi_reader'

export interface PostgresServerOptions {
  /** The data directory of the stack. The server uses DIR/postgres. */
  readonly dataDir: string
  readonly logsDir: string
  /** 0 for any free port. @defaultValue 0 */
  readonly port?: number
  /** Created if it does not exist. @defaultValue bi_realtime */
  readonly database?: string
  /**
   * Settings of postgresql.conf that override the defaults of market-kpi. `bench database` uses this to measure the
   * effect of each setting.
   */
  readonly settings?: Readonly<Record<string, string>>
  readonly log: Logger
  readonly records?: RunRecords
  /** Aborting it cancels a start that is in progress. */
  readonly signal?: AbortSignal
}

export interface PostgresServer {
  readonly pid: number
  readonly port: number
  readonly secrets: Secrets
  /** `postgresql://…` for a role of the server. The owner role exists from the start; `init` creates the others. */
  url(role: typeof ownerRole | typeof pipelineRole | typeof readerRole, database?: string): string
  readonly exited: Promise<ChildExit>
  /** Fast shutdown. After the deadline, an immediate shutdown, then SIGKILL. Idempotent. */
  stop(deadlineMs: number): Promise<void>
  /** Immediate shutdown: no acknowledged data is lost, and the next start recovers. */
  kill(): void
  failure(exit: ChildExit): KpiError
}

/** Recovery replays at most max_wal_size of the log. */
const startTimeoutMs = 120_000
const immediateShutdownMs = 2000

/**
 * Starts PostgreSQL on loopback, and returns when it accepts connections and the database exists.
 *
 * @throws KpiError `KPI_POSTGRES_BINARIES`, `KPI_DATA_DIR_UNUSABLE`, `KPI_PORT_BUSY`, `KPI_DISK_FULL`,
 *   `KPI_CHILD_FAILED`.
 */
export function startPostgres(options: PostgresServerOptions): Promise<PostgresServer> {
  return startAtPort(options.port, (port) => startAt(port, options))
}

async function startAt(port: number, options: PostgresServerOptions): Promise<PostgresServer> {
  const { dataDir, log, signal } = options
  const binaries = await findPostgres()
  const account = postgresAccount([dataDir, dirname(binaries.postgres)])
  const secrets = loadSecrets(dataDir)
  const storage = join(dataDir, 'postgres')
  const output = new RotatingLog({ logsDir: options.logsDir, name: 'postgres' })
  const run = (name: string, program: string, args: readonly string[]) =>
    Child.start({
      name,
      ...account.launch(program, args),
      cwd: '/',
      output,
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      ...(options.records ? { records: options.records } : {}),
    })
  if (!existsSync(join(storage, 'PG_VERSION'))) {
    log.debug(`creating a database cluster in ${storage}`)
    await initialise({ storage, account, password: secrets.owner, binaries, run, signal })
  } else {
    await clearLeftovers(storage, log)
  }
  signal?.throwIfAborted()
  const child = await run('postgres', binaries.postgres, ['-D', storage, ...serverSettings(port, options.settings)])
  const server = serverOf({ child, port, secrets, database: options.database ?? 'bi_realtime' })
  await waitUntilReady(child, server, signal)
  await ensureDatabase(server, options.database ?? 'bi_realtime')
  return server
}

interface Initialising {
  readonly storage: string
  readonly account: PostgresAccount
  readonly password: string
  readonly binaries: PostgresBinaries
  readonly run: (name: string, program: string, args: readonly string[]) => Promise<Child>
  readonly signal: AbortSignal | undefined
}

/**
 * Initialises a temporary folder and renames it to the final one, so that a kill in between leaves no half-filled
 * folder.
 */
async function initialise({ storage, account, password, binaries, run, signal }: Initialising): Promise<void> {
  const target = `${storage}.new`
  const passwordFile = `${storage}.password`
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  chmodSync(target, 0o700)
  writeFileSync(passwordFile, password, { mode: 0o600 })
  for (const path of [target, passwordFile]) account.own(path)
  try {
    const child = await run('postgres-initdb', binaries.initdb, [
      ...['-D', target, '-U', ownerRole, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
      ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
    ])
    await child.finish(signal)
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(target, storage)
}

/** Passed at every start, so that a newer market-kpi uses its own settings. They override postgresql.conf. */
function serverSettings(port: number, others: Readonly<Record<string, string>> = {}): string[] {
  const settings: Record<string, string | number> = {
    // Only loopback and no socket file, so that nothing can connect from the network.
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    max_connections: 100,
    shared_buffers: '256MB',
    // Most of the log for frequently updated rows is full page images after checkpoints. So there are few
    // checkpoints, with a limit on the recovery time.
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    synchronous_commit: 'on',
    // The row of a window is updated with every batch until the window is over.
    autovacuum_naptime: '15s',
    autovacuum_vacuum_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.05,
    autovacuum_vacuum_cost_limit: 2000,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '%m [%p] %q%u@%d ',
    log_min_duration_statement: '5s',
    ...others,
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

function serverOf(given: { child: Child; port: number; secrets: Secrets; database: string }): PostgresServer {
  const { child, port, secrets } = given
  const passwords = { [ownerRole]: secrets.owner, [pipelineRole]: secrets.pipeline, [readerRole]: secrets.reader }
  let stopping: Promise<void> | undefined
  return {
    pid: child.pid,
    port,
    secrets,
    url: (role, database = given.database) =>
      `postgresql://${role}:${encodeURIComponent(passwords[role])}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    exited: child.exited,
    stop: (deadlineMs) => {
      const fastMs = Math.max(deadlineMs - immediateShutdownMs, deadlineMs / 2)
      stopping ??= child
        .stop([
          { signal: 'SIGINT', waitMs: fastMs },
          { signal: 'SIGQUIT', waitMs: deadlineMs - fastMs },
        ])
        .then(() => undefined)
      return stopping
    },
    kill: () => {
      child.stop([{ signal: 'SIGQUIT', waitMs: immediateShutdownMs }])
    },
    failure: (exit) => child.failure(exit),
  }
}

async function waitUntilReady(child: Child, server: PostgresServer, signal: AbortSignal | undefined): Promise<void> {
  const until = performance.now() + startTimeoutMs
  for (;;) {
    if (child.ended) throw child.failure(await child.exited)
    const problem = await tryConnection(server)
    if (problem === undefined) return
    if (signal?.aborted || performance.now() > until) {
      await child.stop([{ signal: 'SIGQUIT', waitMs: immediateShutdownMs }])
      signal?.throwIfAborted()
      const why = child.tail.lastMeaningful() ?? messageOf(problem)
      throw new KpiError('KPI_CHILD_FAILED', `postgres did not answer within ${startTimeoutMs / 1000} s: ${why}`)
    }
    await child.endsWithin(30)
  }
}

async function tryConnection(server: PostgresServer): Promise<unknown> {
  try {
    await withClient(asOwner(server), (client) => client.query('SELECT 1'))
    return undefined
  } catch (error) {
    return error
  }
}

async function ensureDatabase(server: PostgresServer, database: string): Promise<void> {
  await withClient(asOwner(server), async (client) => {
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [database])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)} TEMPLATE template0`)
  })
}

function asOwner({ port, secrets }: PostgresServer): PostgresOptions {
  return {
    host: '127.0.0.1',
    port,
    database: 'postgres',
    user: ownerRole,
    password: secrets.owner,
    sslMode: 'disable',
  }
}
