import { KpiError } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { KafkaCluster, PartitionLeader, TopicMetadata } from './cluster.ts'
import { brokerErrorOf } from './errors.ts'

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

/** Asks one leader about partitions that it leads. @throws KpiError with the library's error as its cause */
export type AskLeader<Answer> = (
  leaderId: number,
  partitions: readonly PartitionLeader[],
) => Promise<ReadonlyMap<number, Answer>>

/**
 * Asks the leader of each partition, all at once. Waits a little for leaders that are about to lead.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST` when a partition has no leader, or its leader refuses.
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
      // Another topic of that name is no answer.
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
