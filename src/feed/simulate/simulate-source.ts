import { MessageBatch } from '../../kafka/records/message-batch.ts'
import type { MessageKey } from '../../kafka/records/message-key.ts'
import { pause } from '../../runtime/abort.ts'
import type { Clock } from '../../runtime/clock.ts'
import { batchLimits, type PriceSource } from '../source.ts'
import { badKinds, badValue } from './bad-messages.ts'
import { type Instrument, Market, type Quote } from './market.ts'
import { MessageWriter } from './message-writer.ts'
import { Random } from './random.ts'
import { createSchedule, type Schedule } from './schedule.ts'

export interface SimulateOptions {
  readonly names: readonly string[]
  /** The same seed and the same clock give the same bytes. */
  readonly seed: string
  /** 0.1 to 500,000; Infinity means as fast as possible. */
  readonly ratePerSecond: number
  /** Ends after this many messages; Infinity to never end. */
  readonly count: number
  /** Share of messages, 0 to 1, that have a timestamp in the past. */
  readonly disorder: number
  /** The largest distance of these timestamps into the past. */
  readonly disorderSeconds: number
  /** Share of messages that are an exact copy of the one before. */
  readonly duplicates: number
  /** Share of messages that the consumer must reject; all kinds are used. */
  readonly bad: number
  /** A pause starts after this many seconds; Infinity for no pauses. */
  readonly pauseEverySeconds: number
  readonly pauseForSeconds: number
}

/** Sends simulated prices at a rate. */
export class SimulateSource implements PriceSource {
  readonly description: string
  readonly rejectedCount = 0
  readonly #options: SimulateOptions
  readonly #clock: Clock
  readonly #market: Market
  readonly #faults: Random
  readonly #writer = new MessageWriter()
  readonly #batch = new MessageBatch(batchLimits)
  readonly #quote: Quote = { open: 0, high: 0, low: 0, close: 0, volume: 0 }
  #schedule: Schedule | undefined
  #made = 0
  /** The last message, stored only if duplicates are sent. */
  #last: { key: MessageKey; value: Buffer } | undefined

  constructor(options: SimulateOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#market = new Market(options)
    this.#faults = new Random(`${options.seed}/faults`)
    this.description = describe(options)
  }

  async next(signal: AbortSignal): Promise<MessageBatch | undefined> {
    const { count, ratePerSecond, pauseEverySeconds, pauseForSeconds } = this.#options
    this.#schedule ??= createSchedule(
      { ratePerSecond, pauseEveryMs: pauseEverySeconds * 1000, pauseForMs: pauseForSeconds * 1000 },
      this.#clock.wallMs(),
    )
    const most = Math.min(batchLimits.maxMessages, count - this.#made)
    if (most <= 0) return undefined
    while (!signal.aborted) {
      const nowMs = this.#clock.wallMs()
      const due = this.#schedule.dueCount(nowMs, most)
      if (due > 0) return this.#make(this.#schedule, due, nowMs)
      await pause(this.#schedule.sleepMs(nowMs), signal, this.#clock)
    }
    return undefined
  }

  async stop(): Promise<void> {}

  #make(schedule: Schedule, count: number, nowMs: number): MessageBatch {
    this.#batch.clear()
    while (this.#batch.count < count && !this.#batch.isFull) this.#makeOne(schedule.take(nowMs))
    this.#made += this.#batch.count
    return this.#batch
  }

  #makeOne(atMs: number): void {
    const { bad, duplicates, disorder, disorderSeconds } = this.#options
    if (duplicates > 0 && this.#faults.uniform() < duplicates && this.#last) {
      this.#write(this.#last.key, this.#last.value)
      return
    }
    const instrument = this.#market.pick()
    if (bad > 0 && this.#faults.uniform() < bad) {
      this.#makeBad(instrument, atMs)
    } else {
      this.#market.quote(instrument, atMs, this.#quote)
      const late = disorder > 0 && this.#faults.uniform() < disorder
      const backMs = late ? this.#faults.uniform() * disorderSeconds * 1000 : 0
      this.#writer.write(this.#batch, instrument, Math.max(0, atMs - backMs), this.#quote)
    }
    if (duplicates > 0) this.#keepLast()
  }

  #makeBad(instrument: Instrument, atMs: number): void {
    const kind = badKinds[this.#faults.below(badKinds.length)] ?? 'empty'
    this.#write(this.#writer.keyOf(instrument), Buffer.from(badValue(kind, instrument.name, Math.floor(atMs))))
  }

  #write(key: MessageKey, value: Buffer): void {
    const at = this.#batch.reserve(value.length)
    value.copy(this.#batch.bytes, at)
    this.#batch.commit(key, at + value.length)
  }

  #keepLast(): void {
    const index = this.#batch.count - 1
    const value = this.#batch.bytes.subarray(this.#batch.valueStart(index), this.#batch.valueEnd(index))
    this.#last = { key: this.#batch.key(index), value: Buffer.from(value) }
  }
}

function describe(options: SimulateOptions): string {
  const { names, ratePerSecond, count, seed } = options
  const rate = Number.isFinite(ratePerSecond) ? `${ratePerSecond} messages/s` : 'as many messages as it can'
  const shown = names.length <= 5 ? names.join(', ') : `${names.slice(0, 4).join(', ')}, … (${names.length} symbols)`
  const end = Number.isFinite(count) ? `, ${count} in all` : ''
  return `simulated prices of ${shown}: ${rate}${end}, seed ${seed}`
}
