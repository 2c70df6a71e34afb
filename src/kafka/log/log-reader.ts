import { fetchV13 } from '#kafka-protocol'
import { KpiError, messageOf } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { brokerErrorOf, isConnectionLoss, kafkaError } from '../client/errors.ts'
import { listOffsets } from './offsets.ts'

/**
 * Reads a range of a partition for commands that read the log a second time. It uses the library's own record parser
 * (one object per record), and none of the code with which workers read. Only committed messages are returned.
 */
export interface LogRecord {
  readonly offset: number
  /** Kafka's timestamp in milliseconds; −1 where the record has none. */
  readonly timestampMs: number
  readonly value: Buffer | null
}

export interface OffsetRange {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/** The content of one answer. */
export interface LogChunk {
  /** Later than the end of the previous chunk when the log's start has moved past it in the meantime. */
  readonly from: number
  readonly next: number
  readonly records: readonly LogRecord[]
  /**
   * Offsets without a record, in order, because they were compacted away. Those of transaction markers and of aborted
   * transactions are not included while the log still contains these.
   */
  readonly missing: readonly OffsetRange[]
  /** Whether the timestamps come from the broker's clock and therefore never decrease. */
  readonly isAppendTime: boolean
}

type FetchResponse = Awaited<ReturnType<typeof fetchV13.api.async>>
type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]
type RecordsBatch = NonNullable<FetchedPartition['records']>[number]

const maxWaitMs = 500
const chunkBytes = 1024 * 1024
const readCommitted = 1
const noSession = { id: 0, epoch: -1 }
/** How long a broker may be unavailable before a reading command fails. */
const patienceMs = 30_000

const appendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20

export class LogReader {
  readonly #cluster: KafkaCluster
  #metadata: TopicMetadata

  constructor(cluster: KafkaCluster, metadata: TopicMetadata) {
    this.#cluster = cluster
    this.#metadata = metadata
  }

  /**
   * Reads the messages from one offset up to another, in order; ends early at the end of the log. The next answer is
   * requested while the caller processes the current one. An empty range sends no request, and no request is retried
   * after the caller has stopped reading.
   *
   * @throws KpiError `KPI_TOPIC_RECREATED`, and connection errors that last for 30 s.
   */
  async *read(partition: number, from: number, end: number): AsyncGenerator<LogChunk, void> {
    if (from >= end) return
    const stopped = new AbortController()
    try {
      let asked = this.#chunk(partition, from, stopped.signal)
      for (let offset = from; offset < end; ) {
        const chunk = await asked
        if (chunk === undefined || chunk.from >= end) return
        offset = chunk.next
        if (offset < end) {
          asked = this.#chunk(partition, offset, stopped.signal)
          asked.catch(() => undefined) // the failure is thrown where the answer is awaited
        }
        yield offset <= end ? chunk : upTo(chunk, end)
      }
    } finally {
      stopped.abort()
    }
  }

  /**
   * Reads as much from an offset on as one answer contains: at least the first message, if there is one. Returns the
   * log's first messages when the log starts later, and undefined at its end.
   *
   * @throws KpiError as {@link read}.
   */
  chunk(partition: number, offset: number): Promise<LogChunk | undefined> {
    return this.#chunk(partition, offset)
  }

  /** Also returns undefined when a request has failed after the signal was aborted. */
  async #chunk(partition: number, offset: number, signal?: AbortSignal): Promise<LogChunk | undefined> {
    const backoff = new Backoff({ firstMs: 100, capMs: 2000 })
    const deadline = performance.now() + patienceMs
    for (let from = offset; ; ) {
      try {
        const found = await this.#fetch(partition, from)
        const next = nextOffsetOf(found, from)
        if (next > from) return chunkOf(found, from, next)
        if (Number(found.lastStableOffset) <= from) return undefined
      } catch (error) {
        if (signal?.aborted) return undefined
        if (brokerErrorOf(error) === 'OFFSET_OUT_OF_RANGE') {
          const start = await this.logStart(partition)
          if (start <= from) return undefined
          from = start
          continue
        }
        const failure = failureOf(error, partition)
        if (!failure.retryable || performance.now() > deadline) throw failure
        await pause(backoff.nextMs(), signal)
        if (signal?.aborted) return undefined
        await this.#refreshMetadata(deadline)
      }
    }
  }

  async #fetch(partition: number, offset: number): Promise<FetchedPartition> {
    const { topic, topicId, partitions } = this.#metadata
    const leader = partitions[partition]
    if (!leader || leader.leaderId < 0) {
      throw new KpiError('KPI_KAFKA_REQUEST', `partition ${partition} of '${topic}' has no leader at the moment`)
    }
    const asked = {
      partition,
      currentLeaderEpoch: leader.leaderEpoch,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: chunkBytes,
    }
    const topics = [{ topicId, partitions: [asked] }]
    const { id, epoch } = noSession
    const answer = await this.#cluster.request(
      leader.leaderId,
      'fetch',
      fetchV13.api,
      maxWaitMs,
      1,
      chunkBytes,
      readCommitted,
      id,
      epoch,
      topics,
      [],
      '',
    )
    const found = answer.responses[0]?.partitions[0]
    if (!found)
      throw new KpiError('KPI_KAFKA_REQUEST', `broker ${leader.leaderId} answered without the partition asked`)
    return found
  }

  /** The first offset in the log of a partition. */
  async logStart(partition: number): Promise<number> {
    const starts = await listOffsets(this.#cluster, this.#metadata, 'earliest', [partition])
    return starts.get(partition) ?? 0
  }

  async #refreshMetadata(deadline: number): Promise<void> {
    const { topic, topicId } = this.#metadata
    try {
      this.#metadata = await this.#cluster.topicMetadata(topic)
    } catch (error) {
      if (!(error instanceof KpiError) || !error.retryable || performance.now() > deadline) throw error
    }
    if (this.#metadata.topicId === topicId) return
    throw new KpiError('KPI_TOPIC_RECREATED', `the topic '${topic}' was deleted and created again while it was read`)
  }
}

/** An error that is neither a broker's error code nor a lost connection comes from parsing records. */
function failureOf(error: unknown, partition: number): KpiError {
  if (error instanceof KpiError || isConnectionLoss(error) || brokerErrorOf(error) !== undefined) {
    return kafkaError(error, `the leader of partition ${partition}`)
  }
  const what = `partition ${partition} holds records that cannot be read: ${messageOf(error)}`
  return new KpiError('KPI_KAFKA_CORRUPT', what, { cause: error })
}

function nextOffsetOf(found: FetchedPartition, from: number): number {
  const last = found.records?.at(-1)
  return last ? Math.max(from, Number(last.firstOffset) + last.lastOffsetDelta + 1) : from
}

function upTo(chunk: LogChunk, end: number): LogChunk {
  const records = chunk.records.filter(({ offset }) => offset < end)
  const missing = chunk.missing
    .filter(({ from }) => from < end)
    .map(({ from, to }) => ({ from, to: Math.min(to, end) }))
  return { ...chunk, next: end, records, missing }
}

function chunkOf(found: FetchedPartition, from: number, next: number): LogChunk {
  const batches = committedBatches(found)
  const records = batches.flatMap(recordsOf).filter(({ offset }) => offset >= from)
  const missing = missingOffsets(found.records ?? [], new Set(batches), from)
  const isAppendTime = batches.every(({ attributes }) => (attributes & appendTimeBit) !== 0)
  return { from, next, records, missing, isAppendTime }
}

/** @param committed - Records of all other batches are not returned, so their offsets do not count as missing. */
function missingOffsets(
  all: readonly RecordsBatch[],
  committed: ReadonlySet<RecordsBatch>,
  from: number,
): OffsetRange[] {
  const missing: OffsetRange[] = []
  let next = from
  const passTo = (offset: number) => {
    if (offset > next) missing.push({ from: next, to: offset })
  }
  for (const batch of all) {
    const first = Number(batch.firstOffset)
    const end = first + batch.lastOffsetDelta + 1
    if (committed.has(batch)) {
      for (const { offsetDelta } of batch.records) {
        passTo(first + offsetDelta)
        next = Math.max(next, first + offsetDelta + 1)
      }
      passTo(end)
    } else passTo(first)
    next = Math.max(next, end)
  }
  return missing
}

function recordsOf(batch: RecordsBatch): LogRecord[] {
  const isAppendTime = (batch.attributes & appendTimeBit) !== 0
  const first = Number(batch.firstTimestamp)
  return batch.records.map((record) => ({
    offset: Number(batch.firstOffset) + record.offsetDelta,
    timestampMs: isAppendTime ? Number(batch.maxTimestamp) : first < 0 ? -1 : first + Number(record.timestampDelta),
    value: record.value,
  }))
}

/**
 * Leaves out control batches and batches of aborted transactions: an aborted transaction of a producer extends from the
 * offset that the broker returns to the producer's next abort marker.
 */
function committedBatches({ records, abortedTransactions }: FetchedPartition): RecordsBatch[] {
  const ahead = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const aborting = new Set<bigint>()
  return (records ?? []).filter((batch) => {
    const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    while (ahead[0] && ahead[0].firstOffset <= lastOffset) aborting.add(ahead.shift()?.producerId ?? -1n)
    if (batch.attributes & controlBit) {
      // A control record's key is version and type, two bytes each; type 0 aborts.
      if (batch.records[0]?.key?.readInt16BE(2) === 0) aborting.delete(batch.producerId)
      return false
    }
    return !(batch.attributes & transactionalBit && aborting.has(batch.producerId))
  })
}
