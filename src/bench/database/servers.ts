import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../../embedded/postgres/postgres-server.ts'
import type { Logger } from '../../log.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../../process/temporary-folder.ts'

const stopDeadlineMs = 8000

/**
 * Runs one PostgreSQL server for each set of settings. It is started when it is first needed. Their folder is removed
 * at the end.
 */
export class DatabaseServers {
  readonly #log: Logger
  readonly #folder = makeTemporaryFolder('market-kpi-bench-')
  readonly #servers = new Map<string, Promise<PostgresServer>>()

  constructor(log: Logger) {
    this.#log = log
  }

  with(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const key = JSON.stringify(settings)
    const known = this.#servers.get(key)
    if (known) return known
    const dataDir = join(this.#folder, String(this.#servers.size))
    mkdirSync(dataDir)
    const starting = startPostgres({ dataDir, logsDir: join(dataDir, 'logs'), settings, log: this.#log })
    this.#servers.set(key, starting)
    return starting
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const started = await Promise.allSettled(this.#servers.values())
    const stops = started.map((start) => (start.status === 'fulfilled' ? start.value.stop(stopDeadlineMs) : undefined))
    await Promise.all(stops)
    removeTemporaryFolder(this.#folder)
  }
}
