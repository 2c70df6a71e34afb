import type { RecentMeter } from '../consumer/recent-counts.ts'
import type { ReportMeter } from '../consumer/report.ts'
import type { WorkerFigures } from '../consumer/worker.ts'
import type { WorkerMeasures } from '../metrics/worker-metrics.ts'
import type { Database } from '../store/client/connection.ts'
import type { PoolWaitMeter } from '../store/client/pool-wait-meter.ts'
import type { WorkerReport } from '../store/positions/worker-status.ts'

/** Meters that convert a worker's totals since its start to counts of an interval. */
export interface WorkerMeters {
  readonly report: ReportMeter
  readonly recent: RecentMeter
  readonly wait: PoolWaitMeter
}

/** Builds a worker's row of `worker_status`. */
export function statusOf(
  figures: WorkerFigures,
  meters: WorkerMeters,
  { database, http, place }: { readonly database: Database; readonly http: string; readonly place: string | null },
): WorkerReport {
  const nowMs = performance.now()
  const report = meters.report.interval(figures, nowMs)
  const counts = { processed: report.messages_processed, rejected: report.errors }
  const { size, inUse, waiting } = poolOf(database, figures)
  // A batch that has waited for ten seconds has waited during the whole interval.
  const wait = meters.wait.interval(nowMs, figures.overdueBatches > 0)
  return {
    state: figures.state,
    messagesProcessed: report.messages_processed,
    batchesWritten: report.batches_written,
    errors: report.errors,
    throughputPerSecond: report.throughput_msg_per_sec,
    partitions: figures.partitions,
    http,
    pool: { size, inUse, waiting, acquireMs: wait.longestMs },
    detail: {
      unreadOffsets: figures.unreadOffsets,
      pendingRows: figures.pendingRows,
      floodWaits: figures.floodWaits,
      rowsWritten: figures.rows,
      recent: meters.recent.recent(counts, nowMs),
      poolWaitedPercent: wait.percent,
      ...(place === null ? {} : { place }),
      ...(figures.precisionLosses.length > 0 ? { precisionLost: figures.precisionLosses } : {}),
      ...(figures.positionsMovedBack > 0 ? { positionsMovedBack: figures.positionsMovedBack } : {}),
      ...strandedDetail(figures.stranded),
    },
  }
}

function strandedDetail(stranded: WorkerFigures['stranded']): Readonly<Record<string, unknown>> {
  if (stranded.length === 0) return {}
  const divergedPartitions = stranded.filter(({ agreesTo }) => agreesTo !== undefined)
  return {
    strandedPartitions: stranded.map(({ partition }) => partition),
    ...(divergedPartitions.length > 0 ? { divergedPartitions } : {}),
  }
}

function poolOf(
  { pool }: Database,
  { overdueBatches }: WorkerFigures,
): { size: number; open: number; inUse: number; waiting: number } {
  const { options, totalCount: open, idleCount, waitingCount } = pool
  return { size: options.max, open, inUse: open - idleCount, waiting: waitingCount + overdueBatches }
}

/** A worker's metrics. */
export function measuresOf(figures: WorkerFigures, database: Database): WorkerMeasures {
  return {
    ...figures,
    partitions: figures.partitions.length,
    stranded: figures.stranded.length,
    isBackedUp: figures.state === 'database unavailable',
    isReady: obstaclesOf(figures).length === 0,
    pool: { ...poolOf(database, figures), waitedSeconds: database.acquireWaitedMs() / 1000 },
  }
}

/** Why a worker is not ready. A rebalance is not a reason: it is part of normal operation. */
export function obstaclesOf({ state, stranded }: WorkerFigures): string[] {
  const obstacles: Partial<Record<WorkerFigures['state'], string>> = {
    joining: 'the worker has not joined its group',
    'database unavailable': 'the database does not take batches',
    stopping: 'the worker is stopping',
  }
  const found = obstacles[state]
  return [
    ...(found === undefined ? [] : [found]),
    ...(stranded.length > 0
      ? [`the positions of partitions ${stranded.map(({ partition }) => partition).join(', ')} are not in the log`]
      : []),
  ]
}
