import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { FetchBuffers } from '../fetch/fetch-buffers.ts'
import { fetchApiKey, fetchVersions, sendFetch } from '../fetch/fetch-protocol.ts'
import { walkRecords } from '../records/record-batch.ts'
import { isAppendTime } from '../records/record-range.ts'

export interface RecordPlace {
  readonly partition: number
  readonly offset: number
  /** Includes records of open transactions. */
  readonly isUncommitted: boolean
  /** Returns the timestamp only when it comes from the broker's clock: a producer may set any time. */
  readonly isOfBroker?: boolean
}

/**
 * Kafka's timestamp, in milliseconds, of the first record at or after an offset; undefined when there is no record, or
 * it has no timestamp.
 *
 * @throws Connection errors.
 */
export async function recordTimeAt(
  cluster: KafkaCluster,
  { topicId, partitions }: Pick<TopicMetadata, 'topicId' | 'partitions'>,
  { partition, offset, isUncommitted, isOfBroker = false }: RecordPlace,
): Promise<number | undefined> {
  const { leaderId = -1, leaderEpoch = -1 } = partitions.find((p) => p.partition === partition) ?? {}
  if (leaderId < 0) return undefined
  const version = await cluster.apiVersion(leaderId, fetchApiKey, fetchVersions)
  if (version === undefined) return undefined
  // A broker always sends one whole batch, however small the limit is.
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, partitionMaxBytes: 1 }
  const request = { topicId, ...limits, partitions: [{ partition, offset, leaderEpoch }], isUncommitted }
  const connection = await cluster.connection(leaderId, 'fetch')
  const answer = await sendFetch(connection, version, request, new FetchBuffers())
  const [found] = answer.partitions
  if (found?.errorCode !== 0 || (isOfBroker && !isAppendTime(found.records))) return undefined
  const times: number[] = []
  walkRecords(found.records, offset, found.aborted, {
    record: (_buffer, _offset, timestampMs) => {
      if (times.length === 0 && timestampMs >= 0) times.push(timestampMs)
    },
    withoutMessage: () => undefined,
  })
  return times[0]
}
