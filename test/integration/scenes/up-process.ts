import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.ts'
import { assert } from '../../../src/errors.ts'
import type { Endpoints } from '../../../src/stack/endpoints.ts'
import { openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { marketKpi, type Run } from './processes.ts'
import { until } from './until.ts'

/** Everything that could name servers, so that `up` starts its own whatever the environment of the tests holds. */
const noServers = { KAFKA_BOOTSTRAP_SERVERS: '', DATABASE_URL: '', POSTGRES_HOST: '', npm_command: '' }

/** On a machine that is kept busy by something else. */
const readyTimeoutMs = 110_000

/** A `market-kpi up` of a test's own. */
export class UpProcess {
  readonly run: Run
  readonly dataDir: string
  /** Stands in the environment of whatever it starts, so that what it leaves behind can be found. */
  readonly #mark = `market-kpi-test-${randomBytes(8).toString('hex')}`

  constructor(dataDir: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    this.dataDir = dataDir
    const all = ['up', '--data-dir', dataDir, ...anyPorts.filter(([flag]) => !args.includes(flag)).flat(), ...args]
    this.run = marketKpi(all, { ...noServers, MARKET_KPI_TEST: this.#mark, ...env })
  }

  /** Waits for the line that says so. */
  async ready(): Promise<void> {
    const line = /^ready after [\d.]+ s: /m
    const ended = this.run.exited.then(() => 'ended')
    await until(
      'ready',
      () => Promise.race([ended, Promise.resolve(this.run.stdout())]),
      (said) => said === 'ended' || line.test(said),
      readyTimeoutMs,
    )
    assert(line.test(this.run.stdout()), `up becomes ready; it said ${this.run.stdout()}${this.run.stderr()}`)
  }

  get endpoints(): Endpoints {
    return JSON.parse(readFileSync(join(this.dataDir, 'endpoints.json'), 'utf8')) as Endpoints
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; tookMs: number }> {
    const sentAt = performance.now()
    this.run.child.kill(signal)
    const { code } = await this.run.exited
    return { code, tookMs: performance.now() - sentAt }
  }

  /** What still runs of all that it started. */
  leftovers(): string[] {
    const found: string[] = []
    for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const told = (read: (path: string) => string, what: string) => {
        try {
          return read(join('/proc', entry, what))
        } catch {
          return ''
        }
      }
      const text = (path: string) => readFileSync(path, 'utf8').replaceAll('\0', ' ')
      const command = told(text, 'cmdline')
      const isOurs =
        told(text, 'environ').includes(this.#mark) ||
        command.includes(this.dataDir) ||
        told(readlinkSync, 'cwd').startsWith(this.dataDir)
      if (isOurs && command !== '') found.push(`${entry} ${command}`)
    }
    return found
  }

  /** After a failed test nothing may stay behind either. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.run.child.exitCode === null && this.run.child.signalCode === null) await this.end('SIGKILL')
    for (const line of this.leftovers()) killQuietly(Number.parseInt(line, 10))
    await until(
      'gone',
      () => this.leftovers(),
      (left) => left.length === 0,
    )
  }
}

const anyPorts = [
  ['--kafka-port', '0'],
  ['--postgres-port', '0'],
] as const

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended meanwhile.
  }
}

/** One query at an address of endpoints.json. */
export async function query<R extends object>(url: string, text: string): Promise<R[]> {
  const config = loadConfig({ env: { DATABASE_URL: url, POSTGRES_SSLMODE: 'disable' } })
  const database = await openDatabase(postgresOptions(config), {
    maxConnections: 1,
    applicationName: 'market-kpi test',
  })
  try {
    return await database.query({ text })
  } finally {
    await database.close()
  }
}

/** How many messages the rows hold, and the counters that must agree with them. */
export interface Totals {
  readonly rows: number
  readonly positions: readonly number[]
}

/** @throws when invariant 1 does not hold. */
export async function totals(url: string): Promise<Totals> {
  const [found] = await query<{ rows: number; merged: number; positions: number[]; unbalanced: number }>(
    url,
    // One statement, one moment.
    `SELECT (SELECT coalesce(sum(trade_count), 0)::bigint FROM kpi_market_prices) AS rows,
        coalesce(sum(merged + retried), 0)::bigint AS merged,
        array_agg(next_offset::float8 ORDER BY partition) AS positions,
        count(*) FILTER (WHERE next_offset - first_offset <> merged + rejected + without_message) AS unbalanced
      FROM kpi_consumer_offsets`,
  )
  assert(found, 'an aggregate has one row')
  assert(found.unbalanced === 0, 'offsets passed are messages merged, rejected or none')
  assert(found.rows === found.merged, `the rows hold ${found.rows} messages, the counters say ${found.merged}`)
  return { rows: found.rows, positions: found.positions ?? [] }
}

export function isThere(dataDir: string, name: string): boolean {
  return existsSync(join(dataDir, name))
}
