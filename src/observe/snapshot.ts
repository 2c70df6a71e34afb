import type { OpenTransaction } from '../kafka/log/open-transactions.ts'
import type { SymbolLoss } from '../kpi/precision-losses.ts'

/** Incremented with every change of meaning or shape that could break a reader of the JSON. */
export const snapshotVersion = 2

/** Replaces a value that could not be read, with the reason. An unknown value is never reported as 0 or NaN. */
export interface Unknown {
  readonly state: 'unknown'
  /** One line, without secrets. */
  readonly reason: string
}

/** One source of a snapshot: its values, or why they are unknown. */
export type Source<T> = ({ readonly state: 'ok' } & Readonly<T>) | Unknown

/**
 * The state of the whole pipeline at one time, in plain JSON values. All views and rules read this and nothing else, so
 * that they cannot disagree.
 */
export interface PipelineSnapshot {
  readonly version: typeof snapshotVersion
  /** When the observation began, by the observer's clock. Like all times here, in milliseconds since 1970. */
  readonly takenAtMs: number
  readonly tookMs: number
  readonly asked: Asked
  readonly kafka: {
    readonly cluster: Source<ClusterState>
    readonly topic: Source<TopicState>
    readonly log: Source<LogState>
    readonly group: Source<GroupState>
    readonly disk: Source<DiskState>
  }
  readonly postgres: {
    readonly server: Source<ServerState>
    readonly schema: Source<SchemaState>
    readonly positions: Source<PositionsState>
    readonly workers: Source<WorkersState>
    readonly deadLetters: Source<DeadLettersState>
    readonly kpi: Source<KpiState>
    readonly symbols: Source<SymbolsState>
  }
}

/** The parts of the configuration that are needed to interpret the snapshot. */
export interface Asked {
  readonly topic: string
  readonly group: string
  readonly windowSeconds: number
  readonly maxFutureSeconds: number
  /** Fractional digits of prices and volumes. */
  readonly decimals: number
  /** The period over which rejected messages are counted. */
  readonly recentSeconds: number
}

export interface ClusterState {
  readonly clusterId: string
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly controllerId: number
  /** Duration of one request over an open connection. */
  readonly latencyMs: number
}

export interface TopicState {
  readonly isThere: boolean
  /** As UUID text; empty if the topic does not exist, as are the other fields. */
  readonly topicId: string
  /** Sorted by partition number. */
  readonly partitions: readonly PartitionState[]
}

export interface PartitionState {
  readonly partition: number
  /** Null while it has no leader. */
  readonly leaderId: number | null
  readonly leaderEpoch: number
  readonly replicas: number
  readonly inSyncReplicas: number
}

export interface LogState {
  /** Whether the broker sets the records' timestamps, not the producer; null if the broker does not report it. */
  readonly isAppendTime: boolean | null
  /** Sorted by partition number. Partitions without a leader, or whose leader does not answer, are left out. */
  readonly partitions: readonly PartitionLog[]
}

export interface PartitionLog {
  readonly partition: number
  /** The first offset in the log; `endOffset` is the one after the last, including messages of open transactions. */
  readonly startOffset: number
  readonly endOffset: number
  /** The oldest open transaction; consumers cannot read beyond its start. Null if none is open. */
  readonly openTransaction: OpenTransaction | null
  /** Kafka's timestamp of the newest record; null if the log is empty or the broker does not report it. */
  readonly newestRecordAtMs: number | null
  /**
   * Kafka's timestamp of the oldest record that is not merged yet; null if there is none, or if it was not requested.
   */
  readonly nextRecordAtMs: number | null
}

/** The first offset that consumers cannot read. */
export function readableEnd({
  endOffset,
  openTransaction,
}: Pick<PartitionLog, 'endOffset' | 'openTransaction'>): number {
  return openTransaction ? Math.min(openTransaction.startOffset, endOffset) : endOffset
}

export interface GroupState {
  /** As Kafka names it: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance, Assigning, Reconciling. */
  readonly groupState: string
  readonly isRebalancing: boolean
  readonly members: readonly GroupMemberState[]
}

export interface GroupMemberState {
  readonly clientId: string
  readonly host: string
  /** Partitions of the topic that the member consumes. */
  readonly partitions: readonly number[]
}

export interface DiskState {
  /** Bytes of the topic's log on all brokers. */
  readonly topicBytes: number
  /** One for each log directory of each broker that answered. */
  readonly volumes: readonly VolumeState[]
}

export interface VolumeState {
  readonly nodeId: number
  readonly directory: string
  /** Bytes of the topic's log in this directory. */
  readonly topicBytes: number
  /** Size of the volume that holds the directory; null if the broker does not know it. */
  readonly totalBytes: number | null
  readonly usableBytes: number | null
}

export interface ServerState {
  readonly serverVersion: string
  /** Duration of one query over an open connection. */
  readonly latencyMs: number
  /** How far the server's clock is ahead of the observer's, accurate to the latency. */
  readonly clockAheadMs: number
  readonly isStandby: boolean
  /** Connections to all databases of the server, including the observer's own. */
  readonly connectionsUsed: number
  readonly connectionsMax: number
}

export interface SchemaState {
  /** Migrations that `init` has not applied yet; `newerMigrations` are those of a newer market-kpi. */
  readonly missingMigrations: readonly string[]
  readonly newerMigrations: readonly string[]
  /** Columns as `table.column`, whole tables as `table`, functions as `name()`. */
  readonly missingParts: readonly string[]
  /** The settings that the database was prepared for; null before `init` stored them. */
  readonly definition: HeldState | null
}

export interface HeldState {
  readonly topic: string
  readonly topicId: string
  readonly group: string
  readonly windowSeconds: number
  readonly decimals: number
}

export interface PositionsState {
  /** Sorted by partition number. Partitions that no worker has opened yet are left out. */
  readonly partitions: readonly PositionState[]
  /** Messages merged into rows in total; `rejected` counts those rejected. */
  readonly merged: number
  readonly rejected: number
}

export interface PositionState {
  readonly partition: number
  /** The offset of the first message that is not processed yet. */
  readonly nextOffset: number
  /** When the position last moved, by the database's clock. */
  readonly movedAtMs: number
  /** Since when the worker has been at the end of the log, by the database's clock; null while it is not. */
  readonly idleSinceMs: number | null
}

export interface WorkersState {
  readonly workers: readonly WorkerState[]
}

/** A log that was cut and written again, as a worker reports it. */
export interface DivergedPartition {
  readonly partition: number
  /** The position of the worker. */
  readonly offset: number
  /** The log is unchanged before this offset. */
  readonly agreesTo: number
}

/** A row of `worker_status`. */
export interface WorkerState {
  readonly workerId: string
  readonly kind: 'consumer' | 'feed'
  readonly host: string
  readonly startedAtMs: number
  /** Seconds since its last report; both times are of the database's clock. */
  readonly seenAgoSeconds: number
  readonly stoppedAtMs: number | null
  /** The state that it reports, such as `working`, `database unavailable`, `sending`, `at its end`. */
  readonly workerState: string
  readonly messagesProcessed: number
  readonly batchesWritten: number
  readonly errors: number
  readonly elapsedSeconds: number
  readonly throughputPerSecond: number
  readonly pool: PoolState | null
  readonly partitions: readonly number[]
  /** Out-of-range partitions: the position is not in the log, or the log is not the one that was read. */
  readonly strandedPartitions: readonly number[]
  /** Those of them whose log was cut and written again. */
  readonly divergedPartitions: readonly DivergedPartition[]
  /** Messages that it counted over at most `recentSeconds`; null if it does not report them. */
  readonly recent: { readonly seconds: number; readonly processed: number; readonly rejected: number } | null
  /** The error with which it ended; null otherwise. */
  readonly failure: string | null
  /**
   * The machine and the slot or port on it. A process that starts there later is the successor. Null if places are not
   * permanent, as in containers.
   */
  readonly place: string | null
  /** For a feed: where its prices come from. */
  readonly source: string | null
  /** For a feed that has sent everything in its source: since when, by its own clock. */
  readonly endedAtMs: number | null
  /**
   * For a feed that keeps the recorded timestamps: the latest one sent, and whether the prices are sent at a set pace.
   */
  readonly replay: { readonly eventAtMs: number | null; readonly isPaced: boolean } | null
  /** Symbols with numbers that lost precision in the last hour because they were rounded to `DECIMALS` digits. */
  readonly precisionLost: readonly SymbolLoss[]
}

export interface PoolState {
  /** The maximum number of connections. */
  readonly size: number
  readonly inUse: number
  /** Queries that wait for a connection, including batches that have been ready for long. */
  readonly waiting: number
  /** The longest wait in the interval of the last report, in milliseconds. */
  readonly acquireMs: number
  /** The share of that interval in which a query waited; null if the worker does not report it. */
  readonly waitedPercent: number | null
}

export interface DeadLettersState {
  /** Messages rejected recently, counted by reason. */
  readonly recentByReason: Readonly<Record<string, number>>
  /** Whether there were more messages than were counted. */
  readonly isCapped: boolean
}

export interface KpiState {
  readonly rows: number
  /** Whether `rows` is from the database's statistics; below one million it is counted exactly. */
  readonly isEstimate: boolean
  readonly tableBytes: number
  readonly indexBytes: number
  /** The share of updates that changed no index (HOT), since statistics began; null before the first update. */
  readonly hotUpdateRatio: number | null
  /** Event time of the newest price merged; null if the table is empty. */
  readonly newestEventAtMs: number | null
}

export interface SymbolsState {
  /** Sorted by symbol. */
  readonly symbols: readonly SymbolState[]
  /** Whether there are more symbols than were read. */
  readonly isCapped: boolean
}

export interface SymbolState {
  readonly symbol: string
  /** Event time of the newest price in its newest window. */
  readonly newestEventAtMs: number
  readonly windowStartMs: number
  /** As decimal text. */
  readonly close: string
}

export function unknown(reason: string): Unknown {
  return { state: 'unknown', reason }
}
