import { hostname } from 'node:os'
import { messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { within } from '../../runtime/abort.ts'
import type { Database } from '../client/connection.ts'

/** The status that a worker reports; counts since its start. */
export interface WorkerReport {
  readonly state: string
  readonly messagesProcessed: number
  readonly batchesWritten: number
  readonly errors: number
  /** Messages a second over the last interval. */
  readonly throughputPerSecond: number
  readonly partitions?: readonly number[]
  readonly http?: string
  readonly pool?: { size: number; inUse: number; waiting: number; acquireMs: number }
  readonly detail?: Readonly<Record<string, unknown>>
}

/** The state of a process that ended with an error that a restart cannot fix; `detail.failure` has the error. */
export const failedState = 'failed'

/** How long a worker's row outlives it. */
const keptHours = 24

/**
 * Writes this process's row of `worker_status` at an interval, and a last time with `stopped_at`. An unavailable
 * database is no reason to stop: the row is then not updated, and its age shows that.
 */
export class WorkerStatusWriter {
  readonly #database: Database
  readonly #identity: { workerId: string; kind: 'consumer' | 'feed' }
  readonly #report: () => WorkerReport
  readonly #log: Logger
  readonly #startedAt = new Date()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #failing = false

  constructor(options: {
    database: Database
    workerId: string
    kind: 'consumer' | 'feed'
    report: () => WorkerReport
    log: Logger
  }) {
    this.#database = options.database
    this.#identity = { workerId: options.workerId, kind: options.kind }
    this.#report = options.report
    this.#log = options.log
  }

  /** @param intervalMs - @defaultValue 5000 */
  start(intervalMs = 5000): void {
    this.#timer ??= setInterval(() => this.#beat(), intervalMs)
    this.#beat()
  }

  /** Writes `stopped_at` if that is possible within the deadline. Idempotent. */
  stop(deadlineMs = 3000): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped ??= within(
      deadlineMs,
      (this.#writing ?? Promise.resolve()).then(() => this.#write(true)),
    )
    return this.#stopped
  }

  /** A slow database gets no queue of writes: while one is under way the next one is left out. */
  #beat(): void {
    this.#writing ??= this.#write(false).finally(() => {
      this.#writing = undefined
    })
  }

  async #write(stopped: boolean): Promise<void> {
    const values = this.#values(stopped)
    try {
      await this.#database.query({ name: 'worker-status', text: upsert, values })
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#log.warn(`worker_status is not written for now: ${messageOf(error)}`)
      this.#failing = true
    }
  }

  #values(stopped: boolean): unknown[] {
    const { workerId, kind } = this.#identity
    const r = this.#report()
    const elapsedSeconds = (Date.now() - this.#startedAt.getTime()) / 1000
    return [
      workerId,
      kind,
      hostname(),
      process.pid,
      this.#startedAt,
      stopped,
      stopped && r.state !== failedState ? 'stopped' : r.state,
      r.messagesProcessed,
      r.batchesWritten,
      r.errors,
      elapsedSeconds,
      r.throughputPerSecond,
      r.pool?.size ?? null,
      r.pool?.inUse ?? null,
      r.pool?.waiting ?? null,
      r.pool?.acquireMs ?? null,
      r.partitions ?? null,
      r.http ?? null,
      JSON.stringify(r.detail ?? {}),
      keptHours,
    ]
  }
}

const upsert = `
  WITH old AS (DELETE FROM worker_status WHERE last_seen_at < now() - make_interval(hours => $20) AND worker_id <> $1)
  INSERT INTO worker_status (worker_id, kind, host, pid, started_at, last_seen_at, stopped_at, state,
    messages_processed, batches_written, errors, elapsed_seconds, throughput_msg_per_sec,
    pool_size, pool_in_use, pool_waiting, pool_acquire_ms, partitions, http, detail)
  VALUES ($1, $2, $3, $4, $5, now(), CASE WHEN $6 THEN now() END, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
    $17, $18, $19)
  ON CONFLICT (worker_id) DO UPDATE SET
    kind = excluded.kind, host = excluded.host, pid = excluded.pid, started_at = excluded.started_at,
    last_seen_at = now(), stopped_at = excluded.stopped_at, state = excluded.state,
    messages_processed = excluded.messages_processed, batches_written = excluded.batches_written,
    errors = excluded.errors, elapsed_seconds = excluded.elapsed_seconds,
    throughput_msg_per_sec = excluded.throughput_msg_per_sec,
    pool_size = excluded.pool_size, pool_in_use = excluded.pool_in_use, pool_waiting = excluded.pool_waiting,
    pool_acquire_ms = excluded.pool_acquire_ms, partitions = excluded.partitions, http = excluded.http,
    detail = excluded.detail`
