import { listOffsetsV7 } from '@platformatic/kafka'
import { KpiError } from '../errors.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { brokerErrorName, kafkaError } from './errors.ts'

const timestamps = { earliest: -2n, latest: -1n } as const

const readCommitted = 1
const consumerReplica = -1

/**
 * The first offset the log still holds, or the one after its last, of each partition; `latest` is the end of what
 * read_committed can see.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST` when a partition has no leader or its leader refuses.
 */
export async function listOffsets(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  which: keyof typeof timestamps,
  partitions: readonly number[] = metadata.partitions.map((p) => p.partition),
): Promise<Map<number, number>> {
  const byLeader = new Map<number, { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[]>()
  for (const partition of partitions) {
    const leader = metadata.partitions[partition]
    if (!leader || leader.leaderId < 0) {
      throw new KpiError(
        'KPI_KAFKA_REQUEST',
        `partition ${partition} of '${metadata.topic}' has no leader at the moment`,
      )
    }
    const asked = byLeader.get(leader.leaderId) ?? []
    asked.push({ partitionIndex: partition, currentLeaderEpoch: leader.leaderEpoch, timestamp: timestamps[which] })
    byLeader.set(leader.leaderId, asked)
  }
  const offsets = new Map<number, number>()
  await Promise.all(
    [...byLeader].map(async ([leaderId, asked]) => {
      const topics = [{ name: metadata.topic, partitions: asked }]
      const answer = await cluster
        .request(leaderId, 'control', listOffsetsV7.api, consumerReplica, readCommitted, topics)
        .catch((error: unknown) => {
          throw kafkaError(error, `broker ${leaderId}`)
        })
      for (const found of answer.topics[0]?.partitions ?? []) {
        if (found.errorCode !== 0) {
          throw new KpiError(
            'KPI_KAFKA_REQUEST',
            `partition ${found.partitionIndex} of '${metadata.topic}': ${brokerErrorName(found.errorCode)}`,
          )
        }
        offsets.set(found.partitionIndex, Number(found.offset))
      }
    }),
  )
  return offsets
}
