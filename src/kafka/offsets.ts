import { listOffsetsV7 } from '@platformatic/kafka'
import { KpiError } from '../errors.ts'
import { Backoff, pause } from './backoff.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { brokerErrorName, brokerErrorOf, kafkaError } from './errors.ts'

/** An end of a partition's log, as ListOffsets asks for it: a special timestamp, and who it is told to. */
const ends = {
  earliest: { timestamp: -2n, isolation: 0 },
  latest: { timestamp: -1n, isolation: 0 },
  stable: { timestamp: -1n, isolation: 1 },
} as const
/**
 *   earliest  the first offset that the log holds
 *   latest    the offset after its last message (the high watermark), whether its transaction is decided or not
 *   stable    where the oldest transaction that is still open begins (the last stable offset), and `latest` where none
 *             is: read_committed reads up to here
 */
export type LogEnd = keyof typeof ends

const consumerReplica = -1

/** A leader that was made a moment ago, or another one, does not know yet that it leads. */
const passingErrors = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
])
const patienceMs = 5000
const backoffLimits = { firstMs: 50, capMs: 500 }

/**
 * One end of the log of each partition. Waits a little for leaders that have just been elected.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST` when a partition has no leader or its leader refuses.
 */
export async function listOffsets(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  which: LogEnd,
  partitions: readonly number[] = metadata.partitions.map((p) => p.partition),
): Promise<Map<number, number>> {
  const untilMs = performance.now() + patienceMs
  const backoff = new Backoff(backoffLimits)
  for (let current = metadata; ; ) {
    try {
      return await askLeaders(cluster, current, which, partitions)
    } catch (error) {
      const isPassing = passingErrors.has(brokerErrorOf((error as Error).cause) ?? '')
      if (!isPassing || performance.now() > untilMs) throw error
      await pause(backoff.nextMs())
      current = await cluster.topicMetadata(metadata.topic)
      // Offsets of another topic of that name are no answer.
      if (current.topicId !== metadata.topicId) throw error
    }
  }
}

async function askLeaders(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  which: LogEnd,
  partitions: readonly number[],
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
    asked.push({ partitionIndex: partition, currentLeaderEpoch: leader.leaderEpoch, timestamp: ends[which].timestamp })
    byLeader.set(leader.leaderId, asked)
  }
  const offsets = new Map<number, number>()
  await Promise.all(
    [...byLeader].map(async ([leaderId, asked]) => {
      const topics = [{ name: metadata.topic, partitions: asked }]
      const answer = await cluster
        .request(leaderId, 'control', listOffsetsV7.api, consumerReplica, ends[which].isolation, topics)
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
