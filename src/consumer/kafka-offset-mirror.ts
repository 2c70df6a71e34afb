import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { within } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'

/**
 * Also commits written positions to Kafka, for Kafka's own tools. The authoritative positions are in the database: this
 * copy may be behind them, never ahead, and is never read back. A failure is therefore only logged, and the commit is
 * retried after the interval, also when no further message arrives.
 */
export class KafkaOffsetMirror {
  readonly #commit: (offsets: ReadonlyMap<number, number>) => Promise<void>
  readonly #log: Logger
  readonly #clock: Clock
  readonly #intervalMs: number
  #written = new Map<number, number>()
  /** The offsets that the current commit has sent. */
  #sent = new Map<number, number>()
  #cancelTimer: (() => void) | undefined
  #committing: Promise<void> = Promise.resolve()
  #isFailing = false
  #isStopped = false

  /** @param options.intervalMs - The minimum time between commits. @defaultValue 1000 */
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

  /** Records that everything below this offset is in the database. */
  note(partition: number, nextOffset: number): void {
    this.#written.set(partition, nextOffset)
    this.#flushLater()
  }

  /** Stops committing these partitions: another worker owns them now. */
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

  /** Commits once more, then stops. */
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
      // Offsets written in the meantime are newer.
      this.#written = new Map([...this.#sent, ...this.#written])
      if (this.#written.size > 0) this.#flushLater()
    }
  }
}
