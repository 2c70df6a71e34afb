import { type Measure, ownMetrics } from './own-metrics.ts'

/** The values of a worker's metrics. */
export interface WorkerMeasures {
  readonly merged: number
  readonly rejected: number
  readonly batches: number
  readonly rows: number
  readonly unreadOffsets: number
  readonly pendingRows: number
  readonly floodWaits: number
  readonly precisionLost: number
  readonly positionsMovedBack: number
  readonly partitions: number
  readonly stranded: number
  readonly isBackedUp: boolean
  readonly isReady: boolean
  readonly pool: {
    readonly open: number
    readonly inUse: number
    readonly waiting: number
    /** Since the start of the worker. */
    readonly waitedSeconds: number
  }
}

/** Name and meaning of each metric; docs/metrics.md lists them. */
export const workerCounters = {
  market_kpi_worker_messages_merged_total: ['Messages merged into rows and committed.', (m) => m.merged],
  market_kpi_worker_messages_rejected_total: ['Messages rejected to dead_letters and committed.', (m) => m.rejected],
  market_kpi_worker_batches_total: ['Batches committed.', (m) => m.batches],
  market_kpi_worker_rows_total: ['Partial rows (symbol, window) committed.', (m) => m.rows],
  market_kpi_worker_flood_waits_total: [
    'How often fetching had to wait because the maximum number of rows was pending: very many symbols or windows.',
    (m) => m.floodWaits,
  ],
  market_kpi_worker_pool_wait_seconds_total: [
    'Time in which at least one query waited for a database connection.',
    (m) => m.pool.waitedSeconds,
  ],
  market_kpi_worker_precision_lost_total: [
    'Committed messages in which rounding to DECIMALS digits changed a number by more than one ten-thousandth.',
    (m) => m.precisionLost,
  ],
  market_kpi_worker_positions_moved_back_total: [
    'How often a position was lower than one that the database had confirmed before: the database had gone back in time.',
    (m) => m.positionsMovedBack,
  ],
} as const satisfies Record<string, Measure<WorkerMeasures>>

export const workerGauges = {
  market_kpi_worker_ready: ['1 while the worker works, 0 while it cannot.', (m) => Number(m.isReady)],
  market_kpi_worker_backpressure: [
    '1 while fetching is paused because of the database (back-pressure).',
    (m) => Number(m.isBackedUp),
  ],
  market_kpi_worker_partitions: ['Partitions assigned to the worker.', (m) => m.partitions],
  market_kpi_worker_stranded_partitions: [
    'Assigned partitions that are out of range: the position is not in the log, or the log is not the one that was read.',
    (m) => m.stranded,
  ],
  market_kpi_worker_unread_offsets: [
    'Offsets between the last processed message and the end of the log.',
    (m) => m.unreadOffsets,
  ],
  market_kpi_worker_pending_rows: ['Partial rows that wait for a commit.', (m) => m.pendingRows],
  market_kpi_worker_pool_connections: ['Open database connections.', (m) => m.pool.open],
  market_kpi_worker_pool_connections_in_use: ['Database connections in use.', (m) => m.pool.inUse],
  market_kpi_worker_pool_waiting: [
    'Calls that wait for a database connection, including batches that have been ready for ten seconds.',
    (m) => m.pool.waiting,
  ],
} as const satisfies Record<string, Measure<WorkerMeasures>>

/** @returns A function that renders the current metrics of the worker and of its process. */
export function workerMetrics(measure: () => WorkerMeasures): () => Promise<string> {
  const register = ownMetrics({ counters: workerCounters, gauges: workerGauges }, measure)
  return () => register.metrics()
}
