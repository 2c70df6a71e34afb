import { KpiError } from '../../errors.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { brokerErrorName, kafkaError } from '../client/errors.ts'
import { FetchBuffers } from '../fetch/fetch-buffers.ts'
import { type FetchedPartition, fetchApiKey, fetchVersions, sendFetch } from '../fetch/fetch-protocol.ts'
import type { ProducerTrace } from '../produce/producer-partition.ts'
import { walkRecords } from '../records/record-batch.ts'
import { producerAt } from '../records/record-range.ts'
import { listOffsets } from './offsets.ts'

/** The last matching record of a partition. */
export interface FoundRecord<T> {
  readonly partition: number
  readonly offset: number
  /** The matcher's result. */
  readonly match: T
  /** Undefined when the record's producer was not idempotent. */
  readonly producer: ProducerTrace | undefined
}

export interface LastRecordSearch<T> {
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  /** Returns undefined for a record that does not match. Headers start at `valueEnd`. */
  readonly match: (buffer: Buffer, valueEnd: number) => T | undefined
  /** Called after each answer with the total bytes read. */
  readonly progress?: (bytes: number) => void
}

/** The first step backwards covers this many offsets, and each further step four times as many. */
const firstStep = 1000
const stepGrowth = 4
const longestStep = 500_000
/** The limit of one answer; together with {@link concurrency} it bounds the memory of a search. */
const partitionMaxBytes = 4 * 1024 * 1024
const concurrency = 4
const maxWaitMs = 500

/**
 * Finds the last matching record of each partition. It reads backwards from the end in steps until a record matches or
 * the log begins, however many other records follow the match. Partitions without a match are left out. An open
 * transaction of another producer hides nothing: records after its start are found too, because they were written and
 * must not be sent again.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST`, `KPI_KAFKA_UNREACHABLE`, `KPI_KAFKA_CORRUPT`; or the signal's reason.
 */
export async function findLastRecords<T>(search: LastRecordSearch<T>, signal: AbortSignal): Promise<FoundRecord<T>[]> {
  const { cluster, metadata } = search
  const [starts, ends] = await Promise.all([
    listOffsets(cluster, metadata, 'earliest'),
    listOffsets(cluster, metadata, 'latest'),
  ])
  const reader = new StepReader(search, signal)
  const waiting = metadata.partitions.map(({ partition }) => partition)
  const found: FoundRecord<T>[] = []
  const work = async () => {
    for (let partition = waiting.shift(); partition !== undefined; partition = waiting.shift()) {
      const last = await findLast(reader, partition, starts.get(partition) ?? 0, ends.get(partition) ?? 0)
      if (last) found.push(last)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return found.sort((a, b) => a.partition - b.partition)
}

async function findLast<T>(
  reader: StepReader<T>,
  partition: number,
  logStart: number,
  logEnd: number,
): Promise<FoundRecord<T> | undefined> {
  let step = firstStep
  for (let end = logEnd; end > logStart; step = Math.min(longestStep, step * stepGrowth)) {
    const start = Math.max(logStart, end - step)
    const last = await reader.lastWithin(partition, start, end)
    if (last) return last
    end = start
  }
  return undefined
}

/** Reads ranges of partitions, one answer at a time. */
class StepReader<T> {
  readonly #search: LastRecordSearch<T>
  readonly #signal: AbortSignal
  #bytes = 0

  constructor(search: LastRecordSearch<T>, signal: AbortSignal) {
    this.#search = search
    this.#signal = signal
  }

  /** Finds the last match in `[start, end)`. */
  async lastWithin(partition: number, start: number, end: number): Promise<FoundRecord<T> | undefined> {
    let last: FoundRecord<T> | undefined
    for (let from = start; from < end; ) {
      this.#signal.throwIfAborted()
      const { records, aborted } = await this.#fetch(partition, from)
      const seen: { last?: { offset: number; match: T } } = {}
      from = walkRecords(records, from, aborted, {
        record: (buffer, offset, _timestampMs, _valueStart, valueEnd) => {
          const match = offset < end ? this.#search.match(buffer, valueEnd) : undefined
          if (match !== undefined) seen.last = { offset, match }
        },
        withoutMessage: () => undefined,
      })
      if (seen.last) last = { partition, ...seen.last, producer: producerAt(records, seen.last.offset) }
      this.#bytes += records.end - records.start
      this.#search.progress?.(this.#bytes)
    }
    return last
  }

  async #fetch(partition: number, offset: number): Promise<FetchedPartition> {
    const { cluster, metadata } = this.#search
    const { leaderId = -1, leaderEpoch = -1 } = metadata.partitions[partition] ?? {}
    const place = `partition ${partition} of '${metadata.topic}'`
    try {
      const version = await cluster.requiredVersion(leaderId, fetchApiKey, fetchVersions)
      const answer = await sendFetch(
        await cluster.connection(leaderId, 'fetch'),
        version,
        {
          topicId: metadata.topicId,
          maxWaitMs,
          minBytes: 1,
          maxBytes: partitionMaxBytes,
          partitionMaxBytes,
          partitions: [{ partition, offset, leaderEpoch }],
          isUncommitted: true,
        },
        new FetchBuffers(),
      )
      const [fetched] = answer.partitions
      const errorCode = answer.errorCode || (fetched?.errorCode ?? 0)
      if (fetched && errorCode === 0) return fetched
      throw new KpiError('KPI_KAFKA_REQUEST', `${place} cannot be read: ${brokerErrorName(errorCode)}`)
    } catch (error) {
      throw kafkaError(error, `broker ${leaderId}`)
    }
  }
}
