import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config/load.ts'
import { placeOfProcess } from '../config/place.ts'
import { connectSilentMemberPorts, DeadMemberRemoval, workerClientPrefix } from '../consumer/dead-member-removal.ts'
import { RecentMeter } from '../consumer/recent-counts.ts'
import { type Report, ReportMeter } from '../consumer/report.ts'
import { Worker, type WorkerFigures, type WorkerOptions } from '../consumer/worker.ts'
import { connectPorts } from '../consumer/worker-ports.ts'
import type { KpiError } from '../errors.ts'
import { KafkaCluster } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import type { Logger } from '../log.ts'
import type { StatusRoutes, StatusServer } from '../metrics/status-server.ts'
import { type WorkerMeasures, workerMetrics } from '../metrics/worker-metrics.ts'
import { aborted, unlessAborted, within } from '../runtime/abort.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Database, openDatabase, postgresOptions } from '../store/client/connection.ts'
import { PoolWaitMeter } from '../store/client/pool-wait-meter.ts'
import { type WorkerReport, WorkerStatusWriter } from '../store/positions/worker-status.ts'
import { checkDefinition } from '../store/schema/definition.ts'
import { definitionOf } from './definition.ts'
import { observedHealth, serveNear } from './service-status.ts'

export interface RunWorkerOptions {
  readonly config: Config
  readonly log: Logger
  /** Undefined: the usual one, or the next free one after it. */
  readonly httpPort: number | undefined
  /** Gets a report every 30 s and a last one. */
  readonly report: (report: Report) => void
  /** The worker reads; called with the address of its metrics and health. */
  readonly ready: (url: string) => void
  /** @defaultValue the system's */
  readonly clock?: Clock
}

const usualHttpPort = 9464
const reportIntervalMs = 30_000
/** Within the six seconds that `up` allows a worker, with what comes after it. */
const stopDeadlineMs = 4000
const lastStatusDeadlineMs = 750
/** Who is not heard of for a minute is taken out of the group: a connection that died silently must not do that. */
const statusTimeoutMs = 10_000
const closeDeadlineMs = 750

/**
 * One worker from its first connection to its last report, until `stop` is aborted.
 *
 * @throws KpiError when it cannot start, or cannot go on.
 */
export async function runWorker(options: RunWorkerOptions, stop: AbortSignal): Promise<void> {
  const { config, log, clock = systemClock } = options
  const failed = new AbortController()
  const workerId = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`
  const cluster = new KafkaCluster(kafkaOptions(config, `${workerClientPrefix}${workerId}`))
  let database: Database | undefined
  let statusDatabase: Database | undefined
  let http: StatusServer | undefined
  try {
    const metadata = await cluster.topicMetadata(config.kafkaTopic)
    database = await openDatabase(postgresOptions(config), {
      maxConnections: config.maxPoolConnections,
      applicationName: 'market-kpi consume',
    })
    // On a connection of its own: when the pool is exhausted, that is what has to be told.
    statusDatabase = await openDatabase(postgresOptions(config), {
      maxConnections: 1,
      applicationName: 'market-kpi consume status',
      queryTimeoutMs: statusTimeoutMs,
    })
    const definitionId = await checkDefinition(database, definitionOf(config, metadata))
    const fatal = (error: KpiError) => failed.abort(error)
    const { kafkaGroup: group, batchWaitMs, decimals } = config
    const ports = connectPorts({
      ...{ cluster, database, metadata, group, definitionId, decimals, batchWaitMs, log },
    })
    const worker = new Worker(workerOptions(config, { ports, log, fatal, clock }))
    http = await serveWorker(worker, database, options)
    const around = { cluster, database: statusDatabase, group, topic: config.kafkaTopic }
    const watches = [new DeadMemberRemoval(connectSilentMemberPorts(around), { clock, log })]
    const running = { worker, watches, database, statusDatabase, workerId, http }
    await work(running, options, AbortSignal.any([stop, failed.signal]))
  } finally {
    // Servers that have fallen silent keep their connections for seconds.
    const closing = [http, database, statusDatabase, cluster].map((part) => part?.close())
    await within(closeDeadlineMs, Promise.allSettled(closing))
  }
  if (failed.signal.aborted) throw failed.signal.reason
}

function workerOptions(config: Config, parts: Pick<WorkerOptions, 'ports' | 'log' | 'fatal' | 'clock'>): WorkerOptions {
  return {
    ...parts,
    reduction: {
      windowSeconds: config.windowSeconds,
      allowedLatenessSeconds: config.allowedLatenessSeconds,
      maxFutureSeconds: config.maxFutureSeconds,
      decimals: config.decimals,
      payloadsPerMinute: config.deadLetterPayloadsPerMinute,
    },
    batchSize: config.batchSize,
    batchWaitMs: config.batchWaitMs,
    lanes: config.maxPoolConnections,
  }
}

interface Running {
  readonly worker: Worker
  /** Over the group. */
  readonly watches: readonly DeadMemberRemoval[]
  readonly database: Database
  readonly statusDatabase: Database
  readonly workerId: string
  readonly http: StatusServer
}

async function work(running: Running, options: RunWorkerOptions, end: AbortSignal): Promise<void> {
  const { worker, watches, database, statusDatabase, workerId, http } = running
  const { config, log, report, ready } = options
  const now = () => performance.now()
  const meter = new ReportMeter(now())
  const recent = new RecentMeter(now(), config.errorRateSeconds * 1000)
  const meters = { report: new ReportMeter(now()), recent, wait: new PoolWaitMeter(database, now()) }
  const place = placeOfProcess(options.httpPort, http.url)
  const status = new WorkerStatusWriter({
    database: statusDatabase,
    workerId,
    kind: 'consumer',
    log,
    report: () => statusOf(worker.figures, meters, { database, http: http.url, place }),
  })
  await unlessAborted(worker.ready, end)
  worker.start()
  status.start()
  for (const watch of watches) watch.start()
  ready(http.url)
  const timer = setInterval(() => report(meter.interval(worker.figures, now())), reportIntervalMs)
  await aborted(end)
  clearInterval(timer)
  for (const watch of watches) watch.stop()
  await worker.stop(stopDeadlineMs)
  report(meter.total(worker.figures, now()))
  await status.stop(lastStatusDeadlineMs)
}

function statusOf(
  figures: WorkerFigures,
  meters: { readonly report: ReportMeter; readonly recent: RecentMeter; readonly wait: PoolWaitMeter },
  { database, http, place }: { readonly database: Database; readonly http: string; readonly place: string | null },
): WorkerReport {
  const nowMs = performance.now()
  const report = meters.report.interval(figures, nowMs)
  const counts = { processed: report.messages_processed, rejected: report.errors }
  const { size, inUse, waiting } = poolOf(database, figures)
  // A batch that has waited for ten seconds has waited for the whole interval.
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

function serveWorker(worker: Worker, database: Database, options: RunWorkerOptions): Promise<StatusServer> {
  const { httpPort, log } = options
  return serveNear(
    { httpPort, usualPort: usualHttpPort, log },
    {
      metrics: workerMetrics(() => measuresOf(worker.figures, database)),
      notReady: () => obstaclesOf(worker.figures),
      health: healthBeside(worker, options.config),
    },
  )
}

/** The whole pipeline's health, this worker's own state beside it. */
function healthBeside(worker: Worker, config: Config): StatusRoutes['health'] {
  const pipeline = observedHealth(config)
  return async () => ({
    ...(await pipeline()),
    worker: { ...worker.figures, notReady: obstaclesOf(worker.figures) },
  })
}

function measuresOf(figures: WorkerFigures, database: Database): WorkerMeasures {
  return {
    ...figures,
    partitions: figures.partitions.length,
    stranded: figures.stranded.length,
    isBackedUp: figures.state === 'database away',
    isReady: obstaclesOf(figures).length === 0,
    pool: { ...poolOf(database, figures), waitedSeconds: database.acquireWaitedMs() / 1000 },
  }
}

/** A rebalance is no obstacle: it belongs to normal work. */
function obstaclesOf({ state, stranded }: WorkerFigures): string[] {
  const obstacles: Partial<Record<WorkerFigures['state'], string>> = {
    joining: 'the worker has not joined its group',
    'database away': 'the database does not take batches',
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
