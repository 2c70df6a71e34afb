import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/**
 * A base backup of a running server, as pg_basebackup makes one (PostgreSQL manual, "Making a Base Backup Using the
 * Low Level API"): its files while they change, and the write-ahead log by which they become one moment.
 */
export class DatabaseCopy {
  readonly #storage: string
  readonly #copy: string

  private constructor(storage: string) {
    this.#storage = storage
    this.#copy = `${storage}.copy`
  }

  /**
   * @param storage - The server's data folder.
   * @param ownerUrl - A superuser's.
   */
  static async take(storage: string, ownerUrl: string): Promise<DatabaseCopy> {
    const copy = new DatabaseCopy(storage)
    const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      await copy.#take(client)
    } finally {
      await client.end().catch(() => undefined)
    }
    return copy
  }

  /** In place of what is there; the server must not run. */
  restore(): void {
    rmSync(this.#storage, { recursive: true })
    renameSync(this.#copy, this.#storage)
  }

  async #take(client: pg.Client): Promise<void> {
    rmSync(this.#copy, { recursive: true, force: true })
    const { rows } = await client.query<{ segment: string }>(
      `SELECT pg_walfile_name(pg_backup_start('chaos', true)) AS segment`,
    )
    await run('cp', ['-a', this.#storage, this.#copy]).catch(onlyVanished)
    const stopped = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    rmSync(join(this.#copy, 'postmaster.pid'), { force: true })
    writeFileSync(join(this.#copy, 'backup_label'), stopped.rows[0]?.labelfile ?? '')
    await run('chown', [`--reference=${this.#storage}`, join(this.#copy, 'backup_label')])
    await this.#takeLog(rows[0]?.segment ?? '')
  }

  async #takeLog(firstSegment: string): Promise<void> {
    const [from, to] = [this.#storage, this.#copy].map((folder) => join(folder, 'pg_wal')) as [string, string]
    rmSync(to, { recursive: true })
    mkdirSync(to, { mode: 0o700 })
    const segments = readdirSync(from).filter((name) => /^[0-9A-F]{24}$/.test(name) && name >= firstSegment)
    await run('cp', ['-a', ...segments.map((name) => join(from, name)), to])
    mkdirSync(join(to, 'archive_status'))
    mkdirSync(join(to, 'summaries'))
    await run('chown', ['-R', `--reference=${this.#storage}`, to])
  }
}

/** A server deletes files while they are copied; what they held is in the log. */
function onlyVanished(error: unknown): void {
  const lines = String((error as { stderr?: unknown }).stderr ?? error)
    .trim()
    .split('\n')
  if (!lines.every((line) => line.includes('No such file or directory'))) throw error
}
