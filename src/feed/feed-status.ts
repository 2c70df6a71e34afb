import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { pause, within } from '../runtime/abort.ts'
import { Backoff } from '../runtime/backoff.ts'
import { type Database, openDatabase, type PostgresOptions } from '../store/client/connection.ts'
import { type WorkerReport, WorkerStatusWriter } from '../store/positions/worker-status.ts'

const backoffLimits = { firstMs: 500, capMs: 10_000 }

/**
 * The feed's row of `worker_status`. The feed does not need the database: while it is unavailable, the connection is
 * retried, and only the first failure is logged.
 */
export class FeedStatus {
  readonly #options: FeedStatusOptions
  readonly #stopping = new AbortController()
  #database: Database | undefined
  #writer: WorkerStatusWriter | undefined
  #opening: Promise<void> | undefined

  constructor(options: FeedStatusOptions) {
    this.#options = options
  }

  start(): void {
    this.#opening ??= this.#open()
  }

  /** Marks the row as stopped, if the database can be reached before the deadline. Idempotent. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort()
    await within(deadlineMs, this.#close())
  }

  async #open(): Promise<void> {
    const { postgres, workerId, report, log } = this.#options
    const backoff = new Backoff(backoffLimits)
    while (!this.#stopping.signal.aborted) {
      try {
        this.#database = await openDatabase(postgres, { maxConnections: 1, applicationName: 'market-kpi feed' })
        this.#writer = new WorkerStatusWriter({ database: this.#database, workerId, kind: 'feed', report, log })
        this.#writer.start()
        return
      } catch (error) {
        if (backoff.attempt === 0) log.warn(`worker_status is not written for now: ${messageOf(error)}`)
        await pause(backoff.nextMs(), this.#stopping.signal)
      }
    }
  }

  async #close(): Promise<void> {
    await this.#opening
    await this.#writer?.stop()
    await this.#database?.close()
  }
}

export interface FeedStatusOptions {
  readonly postgres: PostgresOptions
  readonly workerId: string
  readonly report: () => WorkerReport
  readonly log: Logger
}
