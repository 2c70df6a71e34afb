import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestContext } from 'vitest'
import { choosePort } from '../../../src/process/ports.ts'
import { endChild } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'

/** Debian installs it where only root looks. */
const path = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`

/** CI has it, by Debian's package; elsewhere a developer may not. */
export function needPgBouncer(context: TestContext): void {
  const env = { ...process.env, PATH: path }
  if (process.env.CI || spawnSync('pgbouncer', ['--version'], { stdio: 'ignore', env }).status === 0) return
  context.skip('pgbouncer is not installed')
}

interface PgBouncerOptions {
  readonly mode: 'session' | 'transaction' | 'statement'
  /** Of any role, at the server behind. */
  readonly serverUrl: string
  readonly passwords: Readonly<Record<string, string>>
  /** More lines of its section [pgbouncer]. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** A PgBouncer on loopback, with Debian's defaults for all that is not named here. */
export class RealPgBouncer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'market-kpi-pgbouncer-'))
  #child: ChildProcess | undefined
  port = 0

  async start({ mode, serverUrl, passwords, settings = {} }: PgBouncerOptions): Promise<void> {
    this.port = await choosePort(0)
    const server = new URL(serverUrl)
    const users = join(this.#folder, 'users.txt')
    const config = join(this.#folder, 'pgbouncer.ini')
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: this.port,
      unix_socket_dir: '',
      auth_type: 'scram-sha-256',
      auth_file: users,
      logfile: join(this.#folder, 'log'),
      pool_mode: mode,
      ...settings,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
    writeFileSync(
      users,
      Object.entries(passwords)
        .map(([user, word]) => `"${user}" "${word}"\n`)
        .join(''),
    )
    writeFileSync(
      config,
      ['[databases]', `* = host=${server.hostname} port=${server.port}`, '[pgbouncer]', ...lines, ''].join('\n'),
    )
    // It refuses to be root, and has to read its files and write its log as somebody else.
    const isRoot = process.getuid?.() === 0
    chmodSync(this.#folder, isRoot ? 0o777 : 0o700)
    const args = [...(isRoot ? ['-u', 'nobody'] : []), '-q', config]
    this.#child = spawn('pgbouncer', args, { stdio: 'ignore', env: { ...process.env, PATH: path } })
    const [user = '', password = ''] = Object.entries(passwords)[0] ?? []
    const answers = async () => {
      const client = new pg.Client({ host: '127.0.0.1', port: this.port, user, password, database: 'postgres' })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return true
      } catch {
        return false
      } finally {
        await client.end().catch(() => undefined)
      }
    }
    await until(`a ready PgBouncer`, answers, (ready) => ready)
  }

  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8')
  }

  /** The same address, by way of the pooler. */
  through(url: string): string {
    const way = new URL(url)
    way.hostname = '127.0.0.1'
    way.port = String(this.port)
    return way.href
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await endChild(child)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
