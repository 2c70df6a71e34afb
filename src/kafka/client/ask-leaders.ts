import { KpiError } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { KafkaCluster, PartitionLeader, TopicMetadata } from './cluster.ts'
import { brokerErrorOf } from './errors.ts'

/** Errors that pass by themselves: during an election, a broker may not know yet whether it leads the partition. */
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
 * Sends a request to one leader for the partitions that it leads. @throws KpiError with the library's error as its
 * cause
 */
export type AskLeader<Answer> = (
  leaderId: number,
  partitions: readonly PartitionLeader[],
) => Promise<ReadonlyMap<number, Answer>>

/**
 * Sends a request to the leader of each partition, in parallel. Retries for a short time while a leader is being
 * elected.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST` when a partition has no leader, or its leader refuses the request.
 */
export async function askLeaders<Answer>(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  partitions: readonly number[],
  ask: AskLeader<Answer>,
): Promise<Map<number, Answer>> {
  const untilMs = performance.now() + patienceMs
  const backoff = new Backoff(backoffLimits)
  for (let current = metadata; ; ) {
    try {
      return await askEach(current, partitions, ask)
    } catch (error) {
      const isPassing = passingErrors.has(brokerErrorOf((error as Error).cause) ?? '')
      if (!isPassing || performance.now() > untilMs) throw error
      await pause(backoff.nextMs())
      current = await cluster.topicMetadata(metadata.topic)
      // A topic with the same name but another id was re-created, so its answer must not be used.
      if (current.topicId !== metadata.topicId) throw error
    }
  }
}

async function askEach<Answer>(
  metadata: TopicMetadata,
  partitions: readonly number[],
  ask: AskLeader<Answer>,
): Promise<Map<number, Answer>> {
  const byLeader = new Map<number, PartitionLeader[]>()
  for (const partition of partitions) {
    const leader = metadata.partitions[partition]
    if (!leader || leader.leaderId < 0) {
      throw new KpiError(
        'KPI_KAFKA_REQUEST',
        `partition ${partition} of '${metadata.topic}' has no leader at the moment`,
      )
    }
    byLeader.set(leader.leaderId, [...(byLeader.get(leader.leaderId) ?? []), leader])
  }
  const answers = new Map<number, Answer>()
  await Promise.all(
    [...byLeader].map(async ([leaderId, led]) => {
      for (const [partition, answer] of await ask(leaderId, led)) answers.set(partition, answer)
    }),
  )
  return answers
}
