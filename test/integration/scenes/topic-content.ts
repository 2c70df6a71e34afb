import type { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { retry } from '../../../src/kafka/client/retry.ts'
import { FetchBuffers } from '../../../src/kafka/fetch/fetch-buffers.ts'
import { fetchApiKey, fetchVersions, sendFetch } from '../../../src/kafka/fetch/fetch-protocol.ts'
import { listOffsets } from '../../../src/kafka/log/offsets.ts'
import type { ProducerTrace } from '../../../src/kafka/produce/producer-partition.ts'
import { readHeaders } from '../../../src/kafka/records/message-headers.ts'
import { walkRecords } from '../../../src/kafka/records/record-batch.ts'
import { producerAt } from '../../../src/kafka/records/record-range.ts'

export interface StoredRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly producer: ProducerTrace | undefined
}

/** All records of a topic as of now, by partition. */
export async function contentOf(cluster: KafkaCluster, topic: string): Promise<StoredRecord[][]> {
  const metadata = await cluster.topicMetadata(topic)
  const ends = await listOffsets(cluster, metadata, 'latest')
  const starts = await listOffsets(cluster, metadata, 'earliest')
  const content: StoredRecord[][] = []
  for (const { partition, leaderId, leaderEpoch } of metadata.partitions) {
    const records: StoredRecord[] = []
    const version = await cluster.apiVersion(leaderId, fetchApiKey, fetchVersions)
    if (version === undefined) throw new Error('a broker that knows our Fetch requests')
    for (let from = starts.get(partition) ?? 0; from < (ends.get(partition) ?? 0); ) {
      const answer = await sendFetch(
        await cluster.connection(leaderId, 'fetch'),
        version,
        {
          topicId: metadata.topicId,
          maxWaitMs: 500,
          minBytes: 1,
          maxBytes: 8 * 1024 * 1024,
          partitionMaxBytes: 8 * 1024 * 1024,
          partitions: [{ partition, offset: from, leaderEpoch }],
        },
        new FetchBuffers(),
      )
      const [fetched] = answer.partitions
      if (fetched?.errorCode !== 0) throw new Error(`error ${fetched?.errorCode} of partition ${partition}`)
      const range = fetched.records
      from = walkRecords(range, from, fetched.aborted, {
        record: (buffer, offset, _timestampMs, valueStart, valueEnd, keyStart, keyEnd) => {
          records.push({
            offset,
            key: keyStart < 0 ? null : buffer.toString('utf8', keyStart, keyEnd),
            value: valueStart < 0 ? null : buffer.toString('utf8', valueStart, valueEnd),
            headers: Object.fromEntries(readHeaders(buffer, valueEnd)),
            producer: producerAt(range, offset),
          })
        },
        withoutMessage: () => undefined,
      })
    }
    content.push(records)
  }
  return content
}

export async function countOf(cluster: KafkaCluster, topic: string): Promise<number> {
  // A topic just created has no leaders for a moment.
  const ends = await retry(
    async () => listOffsets(cluster, await cluster.topicMetadata(topic), 'latest'),
    new AbortController().signal,
  )
  return [...ends.values()].reduce((sum, end) => sum + end, 0)
}
