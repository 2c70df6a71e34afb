import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { ProducerPartition } from './producer-partition.ts'

export interface ProducerRecoveryOptions {
  readonly log: Logger
  readonly random: () => number
  /** Ends the waiting. */
  readonly signal: AbortSignal
  /** Reads the topic's metadata again. @throws KpiError */
  readonly refreshMetadata: () => Promise<unknown>
  /** How many messages wait, for the log. */
  readonly waitingCount: () => number
  /** The metadata was read: sending to these may be tried again. */
  readonly recovered: (partitions: readonly ProducerPartition[]) => void
  /** A failure that does not pass by itself. */
  readonly fatal: (error: KpiError) => void
}

const backoffLimits = { firstMs: 100, capMs: 2000 }

/**
 * What a producer does about partitions that brokers do not take messages for: they stall, the metadata is read again
 * after a wait that grows until a message is acknowledged, then sending is tried again, for as long as it takes.
 */
export class ProducerRecovery {
  readonly #options: ProducerRecoveryOptions
  readonly #backoff: Backoff
  readonly #stalled = new Set<ProducerPartition>()
  #isRunning = false
  #unavailableSinceMs: number | undefined
  #isLogged = false

  constructor(options: ProducerRecoveryOptions) {
    this.#options = options
    this.#backoff = new Backoff({ ...backoffLimits, random: options.random })
  }

  /** Whether sending failed, and no message was acknowledged since. */
  get isUnavailable(): boolean {
    return this.#unavailableSinceMs !== undefined
  }

  /** Nothing is sent to these until the metadata was read again. */
  stall(partitions: readonly ProducerPartition[], why: string): void {
    for (const partition of partitions) {
      partition.stalled = true
      this.#stalled.add(partition)
    }
    this.#unavailableSinceMs ??= performance.now()
    if (!this.#isLogged && this.#backoff.attempt > 1) {
      this.#isLogged = true
      const count = this.#options.waitingCount()
      this.#options.log.warn(`sending is paused: ${why}; ${count} messages wait, trying again until it works`)
    }
    if (!this.#isRunning) void this.#recover()
  }

  /** A broker acknowledged a message. */
  acknowledged(): void {
    if (this.#unavailableSinceMs === undefined) return
    const unavailableSeconds = ((performance.now() - this.#unavailableSinceMs) / 1000).toFixed(1)
    if (this.#isLogged) this.#options.log.info(`Kafka takes messages again, after ${unavailableSeconds} s`)
    this.#unavailableSinceMs = undefined
    this.#isLogged = false
    this.#backoff.reset()
  }

  async #recover(): Promise<void> {
    const { signal, refreshMetadata, recovered, fatal } = this.#options
    this.#isRunning = true
    while (this.#stalled.size > 0 && !signal.aborted) {
      await pause(this.#backoff.nextMs(), signal)
      if (signal.aborted) break
      try {
        await refreshMetadata()
        const partitions = [...this.#stalled]
        this.#stalled.clear()
        for (const partition of partitions) partition.stalled = false
        recovered(partitions)
      } catch (error) {
        if (error instanceof KpiError && !error.retryable) return fatal(error)
        this.stall([], messageOf(error))
      }
    }
    this.#isRunning = false
  }
}
