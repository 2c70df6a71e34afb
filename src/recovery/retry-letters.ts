import { assert, KpiError } from '../errors.ts'
import { MessageDecoder } from '../kpi/decode/message.ts'
import { Reducer } from '../kpi/reducer.ts'
import type { Database } from '../store/client/connection.ts'
import { type Letter, type LetterFilter, type LetterPlace, lettersToRetry } from '../store/dead-letters/dead-letters.ts'
import { letterMissing, retryLetter } from '../store/dead-letters/retry.ts'
import type { HeldDefinition } from '../store/schema/definition.ts'
import type { LetterPayloads } from './letter-payloads.ts'

export type RetryOutcome =
  | { readonly outcome: 'merged'; readonly symbol: string; readonly windowStartUs: number; readonly isLate: boolean }
  | { readonly outcome: 'rejected'; readonly reason: string; readonly detail: string }
  /** Neither the table nor the log has the value any more. */
  | { readonly outcome: 'value gone' }

export interface RetryOptions {
  readonly database: Database
  readonly definition: HeldDefinition
  readonly payloads: LetterPayloads
  /** Wall clock in milliseconds, for messages without a timestamp of Kafka's. */
  readonly now: () => number
}

/** Dead letters read at a time. */
const pageLetters = 500

/** Passes rejected messages through the decoder and the reducer again, one at a time, and merges those that are accepted now. */
export class LetterRetrier {
  readonly #options: RetryOptions
  readonly #decoder: MessageDecoder
  readonly #reducer: Reducer

  constructor(options: RetryOptions) {
    this.#options = options
    this.#decoder = new MessageDecoder(options.definition)
    this.#reducer = new Reducer(options.definition)
  }

  /**
   * Retries one dead letter, with a corrected value or with its own.
   *
   * @throws KpiError `KPI_LETTER_MISSING` when it was retried already.
   */
  async retry(letter: Letter, corrected?: Buffer): Promise<RetryOutcome> {
    if (letter.retriedAt !== null) throw letterMissing(letter)
    // Of a value that was too large only the beginning is kept.
    if (letter.reason === 'too_large' && corrected === undefined) return rejected(letter)
    const value = corrected ?? (await this.#options.payloads.of(letter))
    if (value === undefined) return { outcome: 'value gone' }
    const referenceMs = letter.messageAt?.getTime() ?? this.#options.now()
    const reason = value === null ? 'empty' : this.#decoder.decode(value, 0, value.length, referenceMs)
    if (value === null || reason !== undefined) {
      return rejected({ reason: reason ?? 'empty', detail: value === null ? 'no value' : this.#decoder.detail })
    }
    return this.#merge(letter, value)
  }

  /** Retries every dead letter of a filter that was not retried, with its own value, in the order of the log. */
  async *retryAll(filter: LetterFilter): AsyncGenerator<{ letter: Letter; result: RetryOutcome }> {
    const { database, definition } = this.#options
    let after: LetterPlace = { partition: -1, offset: -1 }
    for (;;) {
      const page = await lettersToRetry(database, definition.topic, filter, { after, limit: pageLetters })
      for (const letter of page) {
        const result = await this.#retryUnlessDone(letter)
        if (result) yield { letter, result }
        after = letter
      }
      if (page.length < pageLetters) return
    }
  }

  /** Another retry or a purge may be faster: then there is nothing to do. */
  async #retryUnlessDone(letter: Letter): Promise<RetryOutcome | undefined> {
    try {
      return await this.retry(letter)
    } catch (error) {
      if (error instanceof KpiError && error.code === 'KPI_LETTER_MISSING') return undefined
      throw error
    }
  }

  /** The message that the decoder has just accepted. */
  async #merge({ partition, offset }: LetterPlace, payload: Buffer): Promise<RetryOutcome> {
    const { database, definition } = this.#options
    const { consumerGroup: group, topic } = definition
    const { symbol, windowStartUs, lateCount } = await retryLetter(database, { group, topic }, definition, {
      partition,
      offset,
      payload,
      rowAt: (watermarkUs) => {
        this.#reducer.add(this.#decoder, partition, offset, watermarkUs)
        const [row] = this.#reducer.take()
        assert(row, 'one message makes one partial')
        return row
      },
    })
    return { outcome: 'merged', symbol, windowStartUs, isLate: lateCount > 0 }
  }
}

function rejected({ reason, detail }: { reason: string; detail: string }): RetryOutcome {
  return { outcome: 'rejected', reason, detail }
}
