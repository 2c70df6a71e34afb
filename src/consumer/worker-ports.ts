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

/**
 * A worker's connections to Kafka and the database; a simulation replaces them. Every failure is a {@link KpiError}.
 */
export interface WorkerPorts {
  /** Membership in the consumer group; joins with `start`. */
  group(listener: GroupListener): Pick<GroupMember, 'start' | 'state' | 'commit' | 'stop'>
  fetcher(handler: FetchHandler): Pick<FetchThread, 'ready' | 'seek' | 'remove' | 'stop'>
  /** The first offset in each partition's log. */
  earliestOffsets(partitions: readonly number[]): Promise<Map<number, number>>
  /** Reads the positions; a partition that has none yet starts at its earliest offset. */
  openPositions(earliest: ReadonlyMap<number, number>): Promise<Position[]>
  readPositions(partitions: readonly number[]): Promise<Position[]>
  /**
   * Writes one batch, completely or not at all. `KPI_POSITION_MOVED` when it does not start at the stored positions.
   */
  commit(batch: TakenBatch): Promise<void>
  /**
   * Returns the partitions whose positions differ from the expected ones. Those of the others that are at the end of
   * the log are marked as idle.
   */
  comparePositions(expected: readonly ExpectedPosition[]): Promise<number[]>
  /** Calls the listener after each new connection to the database, which may be to another server. */
  onConnected(listener: () => void): void
}

export interface Dependencies {
  readonly cluster: KafkaCluster
  readonly database: Database
  readonly metadata: TopicMetadata
  readonly group: string
  /** How long the brokers wait for a heartbeat of this worker before they give its partitions to others. */
  readonly sessionTimeoutMs: number
  /** The definition under which this worker may write; see checkDefinition. */
  readonly definitionId: number
  /** The number of fractional digits of prices and volumes in that definition. */
  readonly decimals: number
  readonly batchWaitMs: number
  readonly log: Logger
}

/** How long a broker may hold a request when it has no new records. */
const fetchWaitMs = 500
/**
 * How long a message may wait at the broker for others in the same answer, as a share of the time its batch waits here.
 * Just below 1, so that two answers share a batch.
 */
const gatherShare = 0.9
const maxGatherMs = 90

/** Connects a worker to a Kafka cluster and a database. */
export function connectPorts(around: Dependencies): WorkerPorts {
  const { cluster, database, metadata, group, sessionTimeoutMs, definitionId, decimals, batchWaitMs, log } = around
  const { topic } = metadata
  const key = { group, topic }
  return {
    group: (listener) => new GroupMember({ cluster, topic, group, sessionTimeoutMs, log, listener }),
    fetcher: (handler) => {
      const gatherMs = Math.min(maxGatherMs, Math.max(1, gatherShare * batchWaitMs))
      return new FetchThread({ cluster, topic, log, maxWaitMs: fetchWaitMs, gatherMs, handler }, metadata)
    },
    earliestOffsets: async (partitions) =>
      listOffsets(cluster, await cluster.topicMetadata(topic), 'earliest', partitions),
    openPositions: (earliest) => openPositions(database, { ...key, definitionId }, earliest),
    readPositions: async (partitions) => {
      const positions = await readPositions(database, key, partitions)
      // A missing position was moved to another group or topic together with the definition: no worker would read it
      // here.
      if (positions.length < partitions.length) await assertStillHeld(database, definitionId)
      return positions
    },
    commit: (batch) => commitBatch(database, { definitionId, group, topic, decimals, ...batch }),
    comparePositions: (expected) => comparePositions(database, key, expected),
    onConnected: (listener) => void database.pool.on('connect', listener),
  }
}
