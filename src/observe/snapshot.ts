import type { OpenTransaction } from '../kafka/log/open-transactions.ts'
import type { SymbolLoss } from '../kpi/precision-losses.ts'

/** Raised with every change of meaning or shape that a reader of the JSON could trip over. */
export const snapshotVersion = 2

/** What could not be looked at, and why. Never 0, never NaN. */
export interface Unknown {
  readonly state: 'unknown'
  /** One line, without secrets. */
  readonly reason: string
}

/** One source of a snapshot: what it said, or why it said nothing. */
export type Source<T> = ({ readonly state: 'ok' } & Readonly<T>) | Unknown

/**
 * One look at the whole pipeline, made of plain JSON values. Everything that shows or judges its state reads this and
 * nothing else, so no two views can disagree.
 */
export interface PipelineSnapshot {
  readonly version: typeof snapshotVersion
  /** When the look began, by the observer's clock; milliseconds since 1970, as all instants here. */
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

/** What was looked for: parts of the configuration that a reader needs to make sense of the rest. */
export interface Asked {
  readonly topic: string
  readonly group: string
  readonly windowSeconds: number
  readonly maxFutureSeconds: number
  /** Fractional digits of prices and volumes. */
  readonly decimals: number
  /** The time over which rejected messages are counted: the length of "recent". */
  readonly recentSeconds: number
}

export interface ClusterState {
  readonly clusterId: string
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly controllerId: number
  /** Of one request over a connection that is open. */
  readonly latencyMs: number
}

export interface TopicState {
  readonly isThere: boolean
  /** As UUID text; empty for a topic that is not there, as the rest. */
  readonly topicId: string
  /** By partition number. */
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
  /** Whether records carry the broker's clock rather than producers'; null where the broker does not tell. */
  readonly isAppendTime: boolean | null
  /** By partition number; those without a leader, or whose leader does not answer, are left out. */
  readonly partitions: readonly PartitionLog[]
}

export interface PartitionLog {
  readonly partition: number
  /** The first offset that the log holds, and the one after its last, messages of open transactions included. */
  readonly startOffset: number
  readonly endOffset: number
  /** The oldest transaction that is still open: nobody can read beyond its beginning. Null where none is open. */
  readonly openTransaction: OpenTransaction | null
  /** Kafka's timestamp of the newest record; null in an empty log and where the broker does not tell. */
  readonly newestRecordAtMs: number | null
  /** Of the oldest record that is not in the rows; null where there is none, or it was not looked at. */
  readonly nextRecordAtMs: number | null
}

/** Up to here messages can be read. */
export function readableEnd({
  endOffset,
  openTransaction,
}: Pick<PartitionLog, 'endOffset' | 'openTransaction'>): number {
  return openTransaction ? Math.min(openTransaction.startOffset, endOffset) : endOffset
}

export interface GroupState {
  /** The broker's word: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance, Assigning, Reconciling. */
  readonly groupState: string
  readonly isRebalancing: boolean
  readonly members: readonly GroupMemberState[]
}

export interface GroupMemberState {
  readonly clientId: string
  readonly host: string
  /** Of the topic. */
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
  /** Bytes of the topic's log in it. */
  readonly topicBytes: number
  /** Of the volume it is on; null where the broker does not know. */
  readonly totalBytes: number | null
  readonly usableBytes: number | null
}

export interface ServerState {
  readonly serverVersion: string
  /** Of one query over a connection that is open. */
  readonly latencyMs: number
  /** How far the server's clock is ahead of the observer's, give or take the latency. */
  readonly clockAheadMs: number
  readonly isStandby: boolean
  /** Of all its databases, this look's own included. */
  readonly connectionsUsed: number
  readonly connectionsMax: number
}

export interface SchemaState {
  /** Migrations that `init` has still to apply, and those of a newer market-kpi. */
  readonly missingMigrations: readonly string[]
  readonly newerMigrations: readonly string[]
  /** As `table.column`; a whole table as `table`. */
  readonly missingParts: readonly string[]
  /** What the database holds; null before `init` wrote it down. */
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
  /** By partition number; partitions that no worker has opened yet are left out. */
  readonly partitions: readonly PositionState[]
  /** Messages merged into rows and rejected since the beginning. */
  readonly merged: number
  readonly rejected: number
}

export interface PositionState {
  readonly partition: number
  /** The first offset that is not in the rows. */
  readonly nextOffset: number
  /** When it moved last, by the database's clock; as is what follows. */
  readonly movedAtMs: number
  /** Since when the worker knows itself at the end of the log; null while it does not. */
  readonly idleSinceMs: number | null
}

export interface WorkersState {
  readonly workers: readonly WorkerState[]
}

/** A log that was cut and written again, as a worker reports it. */
export interface DivergedPartition {
  readonly partition: number
  /** Up to which it was read. */
  readonly offset: number
  /** Up to which the log still is what was read. */
  readonly agreesTo: number
}

/** A row of `worker_status`. */
export interface WorkerState {
  readonly workerId: string
  readonly kind: 'consumer' | 'feed'
  readonly host: string
  readonly startedAtMs: number
  /** How long ago it was seen, by the database's clock alone. */
  readonly seenAgoSeconds: number
  readonly stoppedAtMs: number | null
  /** Its own word, such as `working`, `database unavailable`, `sending`, `at its end`. */
  readonly workerState: string
  readonly messagesProcessed: number
  readonly batchesWritten: number
  readonly errors: number
  readonly elapsedSeconds: number
  readonly throughputPerSecond: number
  readonly pool: PoolState | null
  readonly partitions: readonly number[]
  /** Partitions whose position is not in their log. */
  readonly strandedPartitions: readonly number[]
  /** Of these, those whose log is not the one that was read. */
  readonly divergedPartitions: readonly DivergedPartition[]
  /** What it counted over `recentSeconds` at most; null from those that do not tell. */
  readonly recent: { readonly seconds: number; readonly processed: number; readonly rejected: number } | null
  /** Of one that ended on an error: that error. */
  readonly failure: string | null
  /** Names the machine and the place on it; a later start there is a successor. Null where nothing of it lasts. */
  readonly place: string | null
  /** Of a feed: where its prices come from. */
  readonly source: string | null
  /** Of a feed that has sent all there is: since when, by its own clock. */
  readonly endedAtMs: number | null
  /** Of a feed whose prices keep their recorded times: the latest one so far, and whether they come at a pace. */
  readonly replay: { readonly eventAtMs: number | null; readonly isPaced: boolean } | null
  /** Symbols of the last hour with numbers that lost precision when they were rounded to `DECIMALS` digits. */
  readonly precisionLost: readonly SymbolLoss[]
}

export interface PoolState {
  /** Connections that it may open. */
  readonly size: number
  readonly inUse: number
  /** Queries that wait for a connection, and batches that have waited for long. */
  readonly waiting: number
  /** The longest wait over the last report's interval. */
  readonly acquireMs: number
  /** The share of that interval in which a query waited; null from a worker that does not report it. */
  readonly waitedPercent: number | null
}

export interface DeadLettersState {
  /** By reason. */
  readonly recentByReason: Readonly<Record<string, number>>
  /** There were more than were counted. */
  readonly isCapped: boolean
}

export interface KpiState {
  readonly rows: number
  /** Exact below a million; above, what the database's statistics say. */
  readonly isEstimate: boolean
  readonly tableBytes: number
  readonly indexBytes: number
  /** The share of updates that touched no index, since statistics began; null before the first. */
  readonly hotUpdateRatio: number | null
  /** Event time of the newest price merged; null in an empty table. */
  readonly newestEventAtMs: number | null
}

export interface SymbolsState {
  /** By symbol. */
  readonly symbols: readonly SymbolState[]
  /** There are more than were looked at. */
  readonly isCapped: boolean
}

export interface SymbolState {
  readonly symbol: string
  /** Of its newest window. */
  readonly newestEventAtMs: number
  readonly windowStartMs: number
  /** As decimal text. */
  readonly close: string
}

export function unknown(reason: string): Unknown {
  return { state: 'unknown', reason }
}
