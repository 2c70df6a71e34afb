import type { KpiError } from '../errors.ts'
import type { Producer } from '../kafka/produce/producer.ts'
import type { Clock } from '../runtime/clock.ts'
import type { PriceSource } from './source.ts'

/** What a feed has done since it started. */
export interface FeedFigures {
  readonly state: 'sending' | 'kafka unavailable' | 'at its end'
  /** Acknowledged by the brokers. */
  readonly messages: number
  readonly bytes: number
  readonly batches: number
  readonly retries: number
  /** Lines of the source that could not be made into a message. */
  readonly rejected: number
  /** Taken from the source and not yet acknowledged. */
  readonly waiting: number
  readonly elapsedSeconds: number
  /** Wall-clock time when the whole source was sent; null before that. */
  readonly endedAtMs: number | null
  /** Wall-clock time of the last acknowledgement by the brokers; null before the first. */
  readonly lastMessageAtMs: number | null
  /** How long the brokers have acknowledged none of the messages in flight; 0 while none are in flight. */
  readonly unansweredMs: number
}

/**
 * Moves messages from a source to a producer, which limits how many it accepts.
 *
 * States: `sending → at its end` when the source has no more, or `sending → ended` when the feed is stopped or either
 * side fails.
 */
export class Feed {
  readonly #source: PriceSource
  readonly #producer: Producer
  readonly #clock: Clock
  readonly #startedAtMs: number
  readonly #failed = new AbortController()
  #atEnd = false
  #endedAtMs: number | null = null

  constructor(options: { source: PriceSource; producer: Producer; clock: Clock }) {
    this.#source = options.source
    this.#producer = options.producer
    this.#clock = options.clock
    this.#startedAtMs = options.clock.now()
  }

  get figures(): FeedFigures {
    const { messages, bytes, batches, retries, lastMessageAtMs } = this.#producer.figures
    return {
      state: this.#producer.isUnavailable ? 'kafka unavailable' : this.#atEnd ? 'at its end' : 'sending',
      messages,
      bytes,
      batches,
      retries,
      rejected: this.#source.rejectedCount,
      waiting: this.#producer.waitingCount,
      elapsedSeconds: (this.#clock.now() - this.#startedAtMs) / 1000,
      endedAtMs: this.#endedAtMs,
      lastMessageAtMs,
      unansweredMs: this.#producer.unansweredMs,
    }
  }

  /** The producer failed: ends `run` with this error, even while it waits for the source. */
  fail(error: KpiError): void {
    this.#failed.abort(error)
  }

  /**
   * Sends everything the source has, and returns when all of it is acknowledged. After the signal is aborted it takes
   * nothing more, and returns when what it took is acknowledged or the deadline has passed.
   *
   * @returns How many messages were taken and not acknowledged.
   * @throws KpiError of the source or of the producer.
   */
  async run(stop: AbortSignal, flushDeadlineMs: number): Promise<number> {
    const either = AbortSignal.any([stop, this.#failed.signal])
    try {
      while (!either.aborted) {
        const batch = await this.#source.next(either)
        if (batch === undefined) break
        await this.#producer.append(batch, this.#clock.wallMs(), either)
      }
    } catch (error) {
      // When the source fails, the messages before the failure are still valid and are sent.
      if (!this.#failed.signal.aborted) await this.#producer.flush(AbortSignal.timeout(flushDeadlineMs))
      throw error
    }
    this.#failed.signal.throwIfAborted()
    this.#atEnd = !stop.aborted
    let left = await this.#producer.flush(either)
    if (left > 0 && !this.#failed.signal.aborted) {
      left = await this.#producer.flush(AbortSignal.any([AbortSignal.timeout(flushDeadlineMs), this.#failed.signal]))
    }
    this.#failed.signal.throwIfAborted()
    if (this.#atEnd && left === 0) this.#endedAtMs = this.#clock.wallMs()
    return left
  }
}
