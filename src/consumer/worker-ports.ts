import type { KpiError } from '../errors.ts'
import type { KafkaCluster, TopicMetadata } from '../kafka/client/cluster.ts'
import type { FetchHandler } from '../kafka/fetch/fetch-handler.ts'
import { FetchThread } from '../kafka/fetch/fetch-thread.ts'
import { type GroupListener, GroupMember } from '../kafka/group/group-member.ts'
import { listOffsets } from '../kafka/log/offsets.ts'
import type { Logger } from '../log.ts'
import type { Database } from '../store/client/connection.ts'
import {
  comparePositions,
  type ExpectedPosition,
  openPositions,
  type Position,
  readPositions,
} from '../store/positions/positions.ts'
import { assertStillHeld } from '../store/schema/definition.ts'
import { commitBatch } from '../store/windows/commit.ts'
import type { TakenBatch } from './pending-batch.ts'

/** What a worker needs of the world; a simulation brings another one. All that fails throws {@link KpiError}. */
export interface WorkerPorts {
  /** Membership in the consumer group; joins with `start`. */
  group(listener: GroupListener): Pick<GroupMember, 'start' | 'state' | 'commit' | 'stop'>
  fetcher(handler: FetchHandler): Pick<FetchThread, 'ready' | 'seek' | 'remove' | 'stop'>
  /** The first offset that the log still has. */
  earliestOffsets(partitions: readonly number[]): Promise<Map<number, number>>
  /** The positions; one that has none yet begins at its earliest offset. */
  openPositions(earliest: ReadonlyMap<number, number>): Promise<Position[]>
  readPositions(partitions: readonly number[]): Promise<Position[]>
  /** Writes one batch, whole or not at all. `KPI_POSITION_MOVED` when it does not begin where the positions stand. */
  commit(batch: TakenBatch): Promise<void>
  /**
   * Which of these positions are not where they are expected. Of the others, those at the end of the log are noted as
   * idle.
   */
  comparePositions(expected: readonly ExpectedPosition[]): Promise<number[]>
  /** The listener is called whenever a new connection to the database was made: to another server, it may be. */
  onConnected(listener: () => void): void
}

export interface Dependencies {
  readonly cluster: KafkaCluster
  readonly database: Database
  readonly metadata: TopicMetadata
  readonly group: string
  /** Under which this worker may write; see checkDefinition. */
  readonly definitionId: number
  /** Fractional digits of prices and volumes, as in that definition. */
  readonly decimals: number
  readonly batchWaitMs: number
  readonly log: Logger
}

/** How long a broker may hold a request for which there is nothing. */
const fetchWaitMs = 500
/**
 * How long a message may wait at the broker for others to share its answer, as a share of what its batch waits here: just
 * under the whole, so that two answers share a batch.
 */
const gatherShare = 0.9
const maxGatherMs = 90

/** A worker's way to a real cluster and a real database. */
export function connectPorts(around: Dependencies): WorkerPorts {
  const { cluster, database, metadata, group, definitionId, decimals, batchWaitMs, log } = around
  const { topic } = metadata
  const key = { group, topic }
  return {
    group: (listener) => new GroupMember({ cluster, topic, group, log, listener }),
    fetcher: (handler) => {
      const gatherMs = Math.min(maxGatherMs, Math.max(1, gatherShare * batchWaitMs))
      return new FetchThread({ cluster, topic, log, maxWaitMs: fetchWaitMs, gatherMs, handler }, metadata)
    },
    earliestOffsets: async (partitions) =>
      listOffsets(cluster, await cluster.topicMetadata(topic), 'earliest', partitions),
    openPositions: (earliest) => openPositions(database, { ...key, definitionId }, earliest),
    readPositions: async (partitions) => {
      const positions = await readPositions(database, key, partitions)
      // One that is gone went to another group or topic, with the definition: nobody would read the partition here.
      if (positions.length < partitions.length) await assertStillHeld(database, definitionId)
      return positions
    },
    commit: (batch) => commitBatch(database, { definitionId, group, topic, decimals, ...batch }),
    comparePositions: (expected) => comparePositions(database, key, expected),
    onConnected: (listener) => void database.pool.on('connect', listener),
  }
}
