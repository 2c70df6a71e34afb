import type { KafkaCluster, TopicMetadata } from '../kafka/cluster.ts'
import { committedOffsets } from '../kafka/committed-offsets.ts'
import { listOffsets } from '../kafka/offsets.ts'
import type { Database } from '../store/connection.ts'
import type { HeldDefinition } from '../store/definition.ts'
import { readPositions } from '../store/positions.ts'

/**
 * How a position stands to its log.
 *   ok                 the log holds it: reading goes on there
 *   behind the log     messages were deleted before they were read
 *   past the log       the log was cut: it ends before what was read
 *   not started        no worker has opened the partition yet
 *   topic re-created   the position is of an older topic of this name
 */
export type PartitionState = 'ok' | 'behind the log' | 'past the log' | 'not started' | 'topic re-created'

export interface PartitionView {
  readonly partition: number
  readonly state: PartitionState
  /** The first offset that the log holds, and the one after its last. */
  readonly logStart: number
  readonly logEnd: number
  /** The first offset that is not in the rows; null before the partition is opened. */
  readonly position: number | null
  /** Offsets that can be read and were not; null where no position tells. */
  readonly lag: number | null
  /** What the group has committed to Kafka, for other tools. */
  readonly committed: number | null
}

export function stateOf(position: number | undefined, logStart: number, logEnd: number): PartitionState {
  if (position === undefined) return 'not started'
  if (position < logStart) return 'behind the log'
  return position > logEnd ? 'past the log' : 'ok'
}

/** Every partition of the topic: its log, its position, and how they stand to each other. */
export async function viewPartitions(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  database: Database,
  definition: HeldDefinition,
): Promise<PartitionView[]> {
  const { consumerGroup: group, topic } = definition
  // The positions first: one that moves meanwhile then still stands within the log.
  const positions = new Map(
    (await readPositions(database, { group, topic })).map(({ partition, nextOffset }) => [partition, nextOffset]),
  )
  const [starts, ends, committed] = await Promise.all([
    listOffsets(cluster, metadata, 'earliest'),
    listOffsets(cluster, metadata, 'latest'),
    committedOffsets(cluster, metadata, group),
  ])
  const isSameTopic = metadata.topicId === definition.topicId
  return metadata.partitions.map(({ partition }) => {
    const [logStart, logEnd] = [starts.get(partition) ?? 0, ends.get(partition) ?? 0]
    const position = positions.get(partition)
    const state = stateOf(position, logStart, logEnd)
    return {
      partition,
      state: isSameTopic ? state : 'topic re-created',
      logStart,
      logEnd,
      position: position ?? null,
      lag: position === undefined || !isSameTopic ? null : Math.max(0, logEnd - Math.max(position, logStart)),
      committed: committed.get(partition) ?? null,
    }
  })
}
