import { assert, type KpiError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { brokerErrorName } from '../client/errors.ts'
import { BatchBuffers } from '../records/batch-buffers.ts'
import type { MessageBatch } from '../records/message-batch.ts'
import type { Compression } from '../records/record-batch-writer.ts'
import type { ProducedPartition } from './produce-protocol.ts'
import { impasseError, verdictOf } from './produce-verdict.ts'
import { type ProducerLink, ProducerLinks } from './producer-links.ts'
import { maxInFlight, type ProducerPartition, type QueuedBatch } from './producer-partition.ts'
import { ProducerRecovery } from './producer-recovery.ts'
import { createPartitions, identityOf, obtainIdentity, type ProducerTraces } from './producer-start.ts'
import { RecordAccumulator } from './record-accumulator.ts'

/**
 * An idempotent producer for one topic: acks of all replicas, batches by partition, and order preserved when
 * connections are lost, brokers restart or leaders move. The library's own producer starts over with a new producer id
 * after a failure, which may duplicate messages, so only the library's connections are used.
 *
 * Messages are added to the open batch of their partition. The batch is sealed when it is full or the linger time has
 * passed, and sent to the leader, one batch for each partition and request. After a failure the partition stalls until
 * its batches in flight are settled (see {@link ProducerPartition}) and the metadata has been refreshed, for as long as
 * it takes. The number of partitions is read once at the start, so that a symbol keeps its partition while the process
 * runs.
 */
export interface ProducerOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly log: Logger
  /** Called once, when the producer cannot continue. */
  readonly onFailure: (error: KpiError) => void
  /** @defaultValue none */
  readonly compression?: Compression
  /** How long a message waits for others in the same batch. @defaultValue 10 */
  readonly lingerMs?: number
  /** @defaultValue 256 KiB */
  readonly maxBatchBytes?: number
  /** `append` waits while more than this is unacknowledged. @defaultValue 32 MiB */
  readonly maxBufferedBytes?: number
  /**
   * The last records of an earlier process, by partition. The producer continues with that process' identity, so that
   * messages which that process still had in flight are not written twice.
   */
  readonly continues?: ProducerTraces
  readonly random?: () => number
}

/** Counts since the start. */
export interface ProducerFigures {
  readonly messages: number
  readonly bytes: number
  readonly batches: number
  /** How often batches in flight to a partition had to be sent again. */
  readonly retries: number
  /** Wall clock of the last acknowledgement; null before the first. */
  readonly lastMessageAtMs: number | null
}

const kibibyte = 1024
const maxRequestBytes = 1024 * kibibyte
const smallestBatchBytes = 16 * kibibyte
/** Less than the connection's own timeout, so that a slow follower is reported as such. */
const replicationTimeoutMs = 15_000

export class Producer {
  readonly #options: ProducerOptions
  readonly #stopping = new AbortController()
  readonly #links: ProducerLinks
  readonly #recovery: ProducerRecovery
  readonly #ready = new Set<ProducerPartition>()
  readonly #figures = { messages: 0, bytes: 0, batches: 0, retries: 0, lastMessageAtMs: null as number | null }
  #partitions: readonly ProducerPartition[] = []
  #accumulator: RecordAccumulator | undefined
  #metadata: TopicMetadata | undefined
  #failure: KpiError | undefined
  /** Resolved whenever a batch is settled. */
  #waiters: (() => void)[] = []

  constructor(options: ProducerOptions) {
    this.#options = options
    this.#links = new ProducerLinks({
      cluster: options.cluster,
      opened: () => this.#drive(),
      failed: (brokerId, error) => this.#unreachable(brokerId, error),
    })
    this.#recovery = new ProducerRecovery({
      log: options.log,
      random: options.random ?? Math.random,
      signal: this.#stopping.signal,
      refreshMetadata: () => this.#readMetadata(),
      waitingCount: () => this.waitingCount,
      recovered: (partitions) => {
        for (const partition of partitions) this.#ready.add(partition)
        this.#drive()
      },
      fatal: (error) => this.#fail(error),
    })
  }

  get partitionCount(): number {
    return this.#partitions.length
  }

  /** Counts of acknowledged messages. */
  get figures(): ProducerFigures {
    return { ...this.#figures }
  }

  /** Whether sending has failed and no message has been acknowledged since. */
  get isUnavailable(): boolean {
    return this.#recovery.isUnavailable
  }

  /**
   * How long there have been unanswered requests without any answer: shows an unresponsive broker long before the
   * timeout.
   */
  get unansweredMs(): number {
    return this.#links.unansweredMs
  }

  /** The number of messages accepted but not acknowledged. */
  get waitingCount(): number {
    return this.#partitions.reduce((sum, partition) => sum + partition.waitingCount, 0)
  }

  /**
   * Finds the topic and gets a producer id.
   *
   * @throws KpiError `KPI_TOPIC_MISSING`, `KPI_KAFKA_UNREACHABLE`, `KPI_KAFKA_AUTH`, `KPI_KAFKA_REQUEST`; or the signal's
   *   reason.
   */
  async start(signal: AbortSignal = this.#stopping.signal): Promise<void> {
    const { cluster, compression = 'none', continues = new Map() } = this.#options
    const metadata = await this.#readMetadata()
    const identity = identityOf(continues) ?? (await obtainIdentity(cluster, signal))
    const maxBufferedBytes = this.#options.maxBufferedBytes ?? 32 * kibibyte * kibibyte
    const share = Math.floor(maxBufferedBytes / 2 / metadata.partitions.length)
    const wanted = this.#options.maxBatchBytes ?? 256 * kibibyte
    const maxBatchBytes = Math.min(wanted, Math.max(smallestBatchBytes, share))
    const buffers = new BatchBuffers(maxBatchBytes)
    const options = { compression, maxBatchBytes, buffers, traces: continues }
    this.#partitions = createPartitions(metadata, identity, options)
    this.#accumulator = new RecordAccumulator({
      partitions: this.#partitions,
      buffers,
      lingerMs: this.#options.lingerMs ?? 10,
      maxBufferedBytes,
      sealed: (partition) => {
        if (!partition.stalled) this.#ready.add(partition)
      },
      lingered: () => this.#drive(),
    })
  }

  /**
   * Adds messages in order; copies them. Waits while too much is unacknowledged, and returns early when the signal is
   * aborted.
   *
   * @returns How many messages were added.
   * @throws KpiError The error that `onFailure` received.
   */
  async append(messages: MessageBatch, timestampMs: number, signal: AbortSignal): Promise<number> {
    for (let i = 0; i < messages.count; i++) {
      while (!this.#place(messages, i, timestampMs)) {
        this.#drive()
        await this.#settled(signal)
        if (signal.aborted) return i
      }
    }
    if (this.#failure) throw this.#failure
    this.#drive()
    return messages.count
  }

  /**
   * Sends the remaining messages, and waits until they are acknowledged or the signal is aborted.
   *
   * @returns How many messages are still unacknowledged.
   */
  async flush(signal: AbortSignal): Promise<number> {
    this.#accumulator?.sealAll()
    this.#drive()
    while (!signal.aborted && !this.#failure && this.#partitions.some((partition) => !partition.isIdle)) {
      await this.#settled(signal)
    }
    return this.waitingCount
  }

  /** Stops sending. The cluster stays open. Idempotent. */
  stop(): void {
    this.#stopping.abort()
    this.#accumulator?.stop()
  }

  async #readMetadata(): Promise<TopicMetadata> {
    const { cluster, topic } = this.#options
    this.#metadata = await cluster.topicMetadata(topic)
    return this.#metadata
  }

  /** @returns false when there is no room for it now. */
  #place(messages: MessageBatch, index: number, timestampMs: number): boolean {
    if (this.#failure) throw this.#failure
    assert(this.#accumulator !== undefined, 'a started producer')
    return this.#accumulator.place(messages, index, timestampMs)
  }

  /** Sends all batches that may be sent now. */
  #drive(): void {
    if (this.#failure || this.#stopping.signal.aborted) return
    this.#accumulator?.sealOverdue()
    const byLeader = new Map<number, ProducerPartition[]>()
    for (const partition of this.#ready) {
      if (!partition.hasQueued) this.#ready.delete(partition)
      if (!partition.canSend) continue
      const leaderId = this.#leaderOf(partition)
      const sendable = byLeader.get(leaderId)
      if (sendable) sendable.push(partition)
      else byLeader.set(leaderId, [partition])
    }
    for (const [leaderId, partitions] of byLeader) {
      if (leaderId < 0) this.#stall(partitions, 'a partition has no leader')
      else this.#driveLeader(leaderId, partitions)
    }
  }

  #leaderOf({ partition }: ProducerPartition): number {
    return this.#metadata?.partitions[partition]?.leaderId ?? -1
  }

  #driveLeader(leaderId: number, partitions: readonly ProducerPartition[]): void {
    const link = this.#links.to(leaderId)
    if (link === undefined) return
    while (link.inFlight < maxInFlight) {
      const batches: { partition: ProducerPartition; batch: QueuedBatch }[] = []
      let bytes = 0
      for (const partition of partitions) {
        if (!partition.canSend || (bytes > 0 && bytes + partition.nextBytes > maxRequestBytes)) continue
        bytes += partition.nextBytes
        batches.push({ partition, batch: partition.take() })
      }
      if (batches.length === 0) return
      void this.#send(leaderId, link, batches)
    }
  }

  #unreachable(leaderId: number, error: KpiError): void {
    const led = [...this.#ready].filter((partition) => this.#leaderOf(partition) === leaderId)
    if (error.retryable) this.#stall(led, error.message)
    else this.#fail(error)
  }

  /**
   * Everything up to the write to the socket happens before this returns, so requests are sent in the order of the
   * calls.
   */
  async #send(
    leaderId: number,
    link: ProducerLink,
    batches: readonly { partition: ProducerPartition; batch: QueuedBatch }[],
  ): Promise<void> {
    const { answers, failure } = await this.#links.send(leaderId, link, {
      topic: this.#options.topic,
      timeoutMs: replicationTimeoutMs,
      batches: batches.map(({ partition, batch }) => ({ partition: partition.partition, records: batch.records })),
    })
    for (const { partition, batch } of batches) {
      const answer = answers.find((found) => found.partition === partition.partition)
      this.#judge(partition, batch, answer, failure)
    }
    this.#wake()
    this.#drive()
  }

  #judge(
    partition: ProducerPartition,
    batch: QueuedBatch,
    answer: ProducedPartition | undefined,
    failure: string | undefined,
  ): void {
    if (this.#failure || this.#stopping.signal.aborted) return
    const verdict = answer === undefined ? 'unknown' : verdictOf(answer.errorCode)
    const name =
      answer === undefined ? (failure ?? 'an answer without the partition') : brokerErrorName(answer.errorCode)
    if (typeof verdict !== 'string') {
      this.#fail(verdict.fatal(this.#options.topic, name))
      return
    }
    if (verdict === 'written') this.#countWritten(batch)
    const next = partition.settle(batch, verdict)
    for (const proven of partition.takeProven()) this.#countWritten(proven)
    if (next === 'requeued') {
      this.#figures.retries += 1
      this.#stall([partition], `partition ${partition.partition}: ${name}`)
    } else if (next === 'split') {
      this.#figures.retries += 1
      if (!partition.stalled) this.#ready.add(partition)
    } else if (next !== 'settled') {
      this.#fail(impasseError(next, { topic: this.#options.topic, partition: partition.partition, batch }))
    }
  }

  #countWritten(batch: QueuedBatch): void {
    this.#figures.messages += batch.count
    this.#figures.bytes += batch.records.length
    this.#figures.batches += 1
    this.#figures.lastMessageAtMs = Date.now()
    // The buffer can be reused: if the connection is still sending an earlier attempt, it has its own copy.
    this.#accumulator?.release(batch)
    this.#recovery.acknowledged()
  }

  #stall(partitions: readonly ProducerPartition[], why: string): void {
    for (const partition of partitions) this.#ready.delete(partition)
    this.#recovery.stall(partitions, why)
  }

  #fail(error: KpiError): void {
    if (this.#failure) return
    this.#failure = error
    this.stop()
    this.#wake()
    this.#options.onFailure(error)
  }

  /** Waits until a batch is settled, or the signal is aborted. */
  #settled(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
      this.#waiters.push(done)
    })
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
