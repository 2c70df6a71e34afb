import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { ProducerPartition } from './producer-partition.ts'

export interface ProducerRecoveryOptions {
  readonly log: Logger
  readonly random: () => number
  /** Aborts waiting. */
  readonly signal: AbortSignal
  /** Refreshes the topic's metadata. @throws KpiError */
  readonly refreshMetadata: () => Promise<unknown>
  /** The number of waiting messages, for the log. */
  readonly waitingCount: () => number
  /** Called after the metadata was refreshed: sending to these partitions may be retried. */
  readonly recovered: (partitions: readonly ProducerPartition[]) => void
  /** Called for a permanent failure. */
  readonly fatal: (error: KpiError) => void
}

const backoffLimits = { firstMs: 100, capMs: 2000 }

/**
 * Handles partitions whose broker does not accept messages: they stall, the metadata is refreshed after a delay, then
 * sending is retried, for as long as it takes. The delay grows until a message is acknowledged.
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

  /** Whether sending has failed and no message has been acknowledged since. */
  get isUnavailable(): boolean {
    return this.#unavailableSinceMs !== undefined
  }

  /** Sends nothing to these partitions until the metadata has been refreshed. */
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

  /** Called when a broker has acknowledged a message. */
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
