import { setTimeout as delay } from 'node:timers/promises'
import { KpiError } from '../../src/errors.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { MessageBatch } from '../../src/kafka/message-batch.ts'
import { type MessageKey, messageKey, partitionOf } from '../../src/kafka/message-key.ts'
import { Producer } from '../../src/kafka/producer.ts'
import type { Logger } from '../../src/log.ts'
import { knownMessage } from './known-messages.ts'

export interface LoadOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly seed: number
  readonly rate: number
  readonly log: Logger
  readonly failed: (why: string) => void
}

const tickMs = 20
/** After a stand-still the load goes on at its rate; it does not catch up by more than this. */
const mostTicksLate = 10

/**
 * Sends the known messages one after the other at a rate. An idempotent producer is the topic's only writer, so the
 * order in which messages were taken in is the order of each partition's log, and after a flush all of them are there.
 */
export class Load {
  readonly #options: LoadOptions
  readonly #stopping = new AbortController()
  readonly #keys = new Map<string, MessageKey>()
  readonly #batch = new MessageBatch({ maxMessages: 10_000, maxBytes: 1024 * 1024 })
  #producer: Producer | undefined
  #nextIndex = 0
  #sent: number[][] = []
  #paused = true
  #wantsNewProducer = false
  #step: Promise<void> = Promise.resolve()
  #loop: Promise<void> | undefined

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** Messages taken in so far. */
  get count(): number {
    return this.#nextIndex
  }

  start(): void {
    this.#paused = false
    this.#loop ??= this.#run()
  }

  /** Sends nothing new. @returns When everything is acknowledged: the numbers of the messages, by partition. */
  async pause(): Promise<number[][]> {
    this.#paused = true
    await this.#step
    await this.#producer?.flush(this.#stopping.signal)
    const sent = this.#sent
    this.#sent = []
    return sent
  }

  /** A producer keeps to the partitions that it found; the next one will find more. */
  takeNewPartitions(): void {
    this.#wantsNewProducer = true
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    this.#producer?.stop()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const perTick = (this.#options.rate * tickMs) / 1000
    let dueAtMs = performance.now()
    let owed = 0
    while (!signal.aborted) {
      if (!this.#paused) {
        owed += perTick
        const count = Math.floor(owed)
        owed -= count
        this.#step = this.#send(count)
        await this.#step
      }
      dueAtMs = Math.max(dueAtMs + tickMs, performance.now() - mostTicksLate * tickMs)
      await delay(Math.max(0, dueAtMs - performance.now()))
    }
  }

  async #send(count: number): Promise<void> {
    try {
      const producer = await this.#settledProducer()
      if (producer === undefined) return
      this.#fill(count, producer.partitionCount)
      await producer.append(this.#batch, Date.now(), this.#stopping.signal)
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      this.#options.failed(`the producer gave up: ${error.code} ${error.message}`)
      this.#stopping.abort()
    }
  }

  #fill(count: number, partitions: number): void {
    const batch = this.#batch
    batch.clear()
    for (let i = 0; i < count; i++) {
      const { key, value } = knownMessage(this.#options.seed, this.#nextIndex)
      const bytes = this.#keys.get(key) ?? messageKey(key)
      this.#keys.set(key, bytes)
      const start = batch.reserve(Buffer.byteLength(value))
      batch.commit(bytes, start + batch.bytes.write(value, start))
      const partition = partitionOf(bytes, partitions)
      this.#sent[partition] ??= []
      this.#sent[partition].push(this.#nextIndex)
      this.#nextIndex += 1
    }
  }

  /** Undefined while there is none yet: the brokers may be away just now. */
  async #settledProducer(): Promise<Producer | undefined> {
    if (this.#wantsNewProducer && this.#producer !== undefined) {
      await this.#producer.flush(this.#stopping.signal)
      this.#producer.stop()
      this.#producer = undefined
    }
    if (this.#producer !== undefined) return this.#producer
    const { cluster, topic, log, failed } = this.#options
    const onFailure = (error: KpiError) => failed(`the producer gave up: ${error.code} ${error.message}`)
    const producer = new Producer({ cluster, topic, log, onFailure })
    try {
      await producer.start()
    } catch (error) {
      if (!(error instanceof KpiError && error.retryable)) throw error
      return undefined
    }
    this.#wantsNewProducer = false
    this.#producer = producer
    return producer
  }
}
