import { listOffsetsV7 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import { askLeaders } from '../client/ask-leaders.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { brokerErrorName, kafkaError } from '../client/errors.ts'

/** The ends of a partition's log as ListOffsets requests them: by a special timestamp and an isolation level. */
const ends = {
  earliest: { timestamp: -2n, isolation: 0 },
  latest: { timestamp: -1n, isolation: 0 },
  stable: { timestamp: -1n, isolation: 1 },
} as const
/**
 * - earliest: the first offset in the log
 * - latest: the offset after the last message (the high watermark), including open transactions
 * - stable: the start of the oldest open transaction (the last stable offset), or `latest` when there is none:
 *   read_committed reads up to here
 */
export type LogEnd = keyof typeof ends

const consumerReplica = -1

/**
 * Reads one end of the log of each partition. Waits briefly for leaders that have just been elected.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST` when a partition has no leader or its leader refuses.
 */
export async function listOffsets(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  which: LogEnd,
  partitions: readonly number[] = metadata.partitions.map((p) => p.partition),
): Promise<Map<number, number>> {
  return askLeaders(cluster, metadata, partitions, async (leaderId, led) => {
    const asked = led.map(({ partition, leaderEpoch }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: leaderEpoch,
      timestamp: ends[which].timestamp,
    }))
    const topics = [{ name: metadata.topic, partitions: asked }]
    const answer = await cluster
      .request(leaderId, 'control', listOffsetsV7.api, consumerReplica, ends[which].isolation, topics)
      .catch((error: unknown) => {
        throw kafkaError(error, `broker ${leaderId}`)
      })
    const offsets = new Map<number, number>()
    for (const found of answer.topics[0]?.partitions ?? []) {
      if (found.errorCode !== 0) {
        throw new KpiError(
          'KPI_KAFKA_REQUEST',
          `partition ${found.partitionIndex} of '${metadata.topic}': ${brokerErrorName(found.errorCode)}`,
        )
      }
      offsets.set(found.partitionIndex, Number(found.offset))
    }
    return offsets
  })
}
