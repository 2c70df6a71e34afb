import { setTimeout as delay } from 'node:timers/promises'
import { KpiError } from '../../src/errors.ts'
import type { KafkaCluster } from '../../src/kafka/client/cluster.ts'
import { Producer } from '../../src/kafka/produce/producer.ts'
import { MessageBatch } from '../../src/kafka/records/message-batch.ts'
import { headerBytes } from '../../src/kafka/records/message-headers.ts'
import { type MessageKey, messageKey, partitionOf } from '../../src/kafka/records/message-key.ts'
import type { Logger } from '../../src/log.ts'
import { knownMessage, nameOf } from './records/known-messages.ts'
import { nameHeader } from './records/partition-log.ts'

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
const none = Buffer.alloc(0)

/** What was given to the producer since the last time. */
export interface Sent {
  /** The numbers of the messages, by partition. */
  readonly indexes: readonly (readonly number[])[]
  /** A producer gave up, and what it had not got rid of was not sent again: the log may lack some, in any partition. */
  readonly gaveUp: boolean
}

/**
 * Sends the known messages one after the other at a rate. But for transactions, whose messages have names, an idempotent
 * producer is the topic's only writer, so the order in which messages were taken in is the order of each partition's log,
 * and after a flush all of them are there.
 */
export class Load {
  readonly #options: LoadOptions
  readonly #stopping = new AbortController()
  readonly #keys = new Map<string, MessageKey>()
  readonly #batch = new MessageBatch({ maxMessages: 10_000, maxBytes: 1024 * 1024 })
  #producer: Producer | undefined
  #nextIndex = 0
  #sent: number[][] = []
  #gaveUp = false
  #paused = true
  #wantsNewProducer = false
  #step: Promise<void> = Promise.resolve()
  #loop: Promise<void> | undefined

  /**
   * Until the next start: after an unclean election nobody can tell a producer whether what was under way is in the log,
   * so that it ends, and another one goes on.
   */
  mayGiveUp = false
  /** Until the next start, these partitions get nothing more. */
  readonly quiet = new Set<number>()

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** Messages taken in so far. */
  get count(): number {
    return this.#nextIndex
  }

  start(): void {
    this.#paused = false
    this.mayGiveUp = false
    this.quiet.clear()
    this.#loop ??= this.#run()
  }

  /** Sends nothing new. @returns When everything is acknowledged. */
  async pause(): Promise<Sent> {
    this.#paused = true
    await this.#step
    await this.#producer?.flush(this.#stopping.signal)
    const sent = { indexes: this.#sent, gaveUp: this.#gaveUp }
    this.#sent = []
    this.#gaveUp = false
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
      // Told by the producer.
      if (!this.mayGiveUp) this.#stopping.abort()
    }
  }

  #failed(producer: Producer, error: KpiError): void {
    if (!this.mayGiveUp) this.#options.failed(`the producer gave up: ${error.code} ${error.message}`)
    this.#gaveUp = true
    producer.stop()
    if (this.#producer === producer) this.#producer = undefined
  }

  #fill(count: number, partitions: number): void {
    const batch = this.#batch
    batch.clear()
    for (let i = 0; i < count; i++) {
      const index = this.#nextIndex++
      const { key, value, meaning } = knownMessage(this.#options.seed, index)
      const bytes = this.#keys.get(key) ?? messageKey(key)
      this.#keys.set(key, bytes)
      const partition = partitionOf(bytes, partitions)
      if (this.quiet.has(partition)) continue
      // Most bad messages look like others of their kind.
      const headers =
        typeof meaning === 'string' ? headerBytes({ [nameHeader]: nameOf(this.#options.seed, index) }) : none
      const start = batch.reserve(Buffer.byteLength(value) + headers.length)
      const valueEnd = start + batch.bytes.write(value, start)
      batch.commit(bytes, valueEnd, valueEnd + headers.copy(batch.bytes, valueEnd))
      this.#sent[partition] ??= []
      this.#sent[partition].push(index)
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
    const { cluster, topic, log } = this.#options
    const onFailure = (error: KpiError): void => this.#failed(producer, error)
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
