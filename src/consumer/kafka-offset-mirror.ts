import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { within } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'

/**
 * Commits written positions to Kafka as well, for Kafka's own tools. The positions that count are in the database: this
 * copy may trail them, never lead, and is never read back. So a failure is only logged, and the commit is tried again
 * after the interval, also when no further message arrives.
 */
export class KafkaOffsetMirror {
  readonly #commit: (offsets: ReadonlyMap<number, number>) => Promise<void>
  readonly #log: Logger
  readonly #clock: Clock
  readonly #intervalMs: number
  #written = new Map<number, number>()
  /** What the commit that runs now has sent. */
  #sent = new Map<number, number>()
  #cancelTimer: (() => void) | undefined
  #committing: Promise<void> = Promise.resolve()
  #isFailing = false
  #isStopped = false

  /** @param options.intervalMs - At most one commit in this time. @defaultValue 1000 */
  constructor(options: {
    commit: (offsets: ReadonlyMap<number, number>) => Promise<void>
    log: Logger
    clock: Clock
    intervalMs?: number
  }) {
    this.#commit = options.commit
    this.#log = options.log
    this.#clock = options.clock
    this.#intervalMs = options.intervalMs ?? 1000
  }

  /** Everything below this offset is in the database. */
  note(partition: number, nextOffset: number): void {
    this.#written.set(partition, nextOffset)
    this.#flushLater()
  }

  /** These belong to another worker now. */
  forget(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#written.delete(partition)
      this.#sent.delete(partition)
    }
  }

  flush(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#committing = this.#committing.then(() => this.#flushNow())
    return this.#committing
  }

  /** A last flush. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true
    await within(deadlineMs, this.flush(), this.#clock)
    this.#cancelTimer?.()
  }

  #flushLater(): void {
    if (this.#isStopped) return
    this.#cancelTimer ??= this.#clock.after(this.#intervalMs, () => void this.flush())
  }

  async #flushNow(): Promise<void> {
    if (this.#written.size === 0) return
    this.#sent = this.#written
    this.#written = new Map()
    try {
      await this.#commit(new Map(this.#sent))
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#log.info(`offsets are not committed to Kafka for now: ${messageOf(error)}`)
      this.#isFailing = true
      // What was written meanwhile is newer.
      this.#written = new Map([...this.#sent, ...this.#written])
      if (this.#written.size > 0) this.#flushLater()
    }
  }
}
