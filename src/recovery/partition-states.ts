import type { KafkaCluster, TopicMetadata } from '../kafka/client/cluster.ts'
import { committedOffsets } from '../kafka/group/committed-offsets.ts'
import { findDivergences } from '../kafka/log/epoch-ends.ts'
import { listOffsets } from '../kafka/log/offsets.ts'
import { type OpenTransaction, openTransactions } from '../kafka/log/open-transactions.ts'
import type { Divergence } from '../kpi/leader-epochs.ts'
import type { Database } from '../store/client/connection.ts'
import { readPositions } from '../store/positions/positions.ts'
import type { HeldDefinition } from '../store/schema/definition.ts'

/**
 * How a position relates to its log.
 *   ok                 the log holds it: the worker continues there
 *   behind the log     messages were deleted before they were read
 *   past the log       the log was cut: it ends before what was read
 *   diverged           the log was cut and written again: from some offset on it holds other messages than were read
 *   not started        no worker has opened the partition yet
 *   topic re-created   the position is of an older topic of this name
 */
export type PartitionState = 'ok' | 'behind the log' | 'past the log' | 'diverged' | 'not started' | 'topic re-created'

export interface PartitionView {
  readonly partition: number
  readonly state: PartitionState
  /** The first offset that the log holds, and the one after its last. */
  readonly logStart: number
  readonly logEnd: number
  /** The first offset that is not in the rows; null before the partition is opened. */
  readonly position: number | null
  /** Offsets of the log that are not in the rows, those behind an open transaction included; null where there is no position. */
  readonly lag: number | null
  /** Of these, messages in or behind a transaction that is still open: no consumer can read them yet. */
  readonly blocked: number | null
  /** That transaction; null where none is open. */
  readonly openTransaction: OpenTransaction | null
  /** Where the log stops being the one that was read; null where it is the same. */
  readonly agreesTo: number | null
  /** What the group has committed to Kafka, for other tools. */
  readonly committed: number | null
}

export function stateOf(
  position: number | undefined,
  logStart: number,
  logEnd: number,
  divergence?: Divergence,
): PartitionState {
  if (position === undefined) return 'not started'
  if (divergence) return 'diverged'
  if (position < logStart) return 'behind the log'
  return position > logEnd ? 'past the log' : 'ok'
}

/** Every partition of the topic: its log, its position, and how they relate. */
export async function viewPartitions(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  database: Database,
  definition: HeldDefinition,
): Promise<PartitionView[]> {
  const { consumerGroup: group, topic } = definition
  // Positions are read first: a position that moves in the meantime is then still within the log.
  const held = await readPositions(database, { group, topic })
  const positions = new Map(held.map(({ partition, nextOffset }) => [partition, nextOffset]))
  const isSameTopic = metadata.topicId === definition.topicId
  const [starts, ends, committed, divergences] = await Promise.all([
    listOffsets(cluster, metadata, 'earliest'),
    listOffsets(cluster, metadata, 'latest'),
    committedOffsets(cluster, metadata, group),
    findDivergences(cluster, metadata, isSameTopic ? held : []),
  ])
  // Read after the ends, so that messages that arrive in the meantime are not counted as behind an open transaction.
  const stable = await listOffsets(cluster, metadata, 'stable')
  const open = await openTransactions(
    cluster,
    metadata,
    new Map([...stable].filter(([partition, offset]) => offset < (ends.get(partition) ?? 0))),
  )
  return metadata.partitions.map(({ partition }) => {
    const [logStart, logEnd] = [starts.get(partition) ?? 0, ends.get(partition) ?? 0]
    const position = positions.get(partition)
    const divergence = divergences.get(partition)
    const state = stateOf(position, logStart, logEnd, divergence)
    const unread = position === undefined || !isSameTopic ? null : Math.max(position, logStart)
    const openTransaction = open.get(partition) ?? null
    const readableEnd = openTransaction?.startOffset ?? logEnd
    return {
      partition,
      state: isSameTopic ? state : 'topic re-created',
      logStart,
      logEnd,
      position: position ?? null,
      lag: unread === null ? null : Math.max(0, logEnd - unread),
      blocked: unread === null ? null : Math.max(0, logEnd - Math.max(unread, readableEnd)),
      openTransaction,
      agreesTo: divergence?.agreesTo ?? null,
      committed: committed.get(partition) ?? null,
    }
  })
}
