import type { Config } from '../config/load.ts'
import { placeOfProcess } from '../config/place.ts'
import { connectSilentMemberPorts, DeadMemberRemoval } from '../consumer/dead-member-removal.ts'
import { RecentMeter } from '../consumer/recent-counts.ts'
import { type Report, ReportMeter } from '../consumer/report.ts'
import type { Worker } from '../consumer/worker.ts'
import type { Logger } from '../log.ts'
import type { StatusRoutes, StatusServer } from '../metrics/status-server.ts'
import { workerMetrics } from '../metrics/worker-metrics.ts'
import { aborted, unlessAborted } from '../runtime/abort.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Database, openDatabase, postgresOptions } from '../store/client/connection.ts'
import { PoolWaitMeter } from '../store/client/pool-wait-meter.ts'
import { WorkerStatusWriter } from '../store/positions/worker-status.ts'
import { closeAll, connectWorker } from './connected-worker.ts'
import { observedHealth, serveNear } from './service-status.ts'
import { measuresOf, obstaclesOf, statusOf } from './worker-figures.ts'

export interface RunWorkerOptions {
  readonly config: Config
  readonly log: Logger
  /** Undefined for the usual port, or the next free one after it. */
  readonly httpPort: number | undefined
  /** Called with a report every 30 s, and with a last one. */
  readonly report: (report: Report) => void
  /** Called when the worker has started, with the address of the metrics and health endpoints. */
  readonly ready: (url: string) => void
  /** @defaultValue the system clock */
  readonly clock?: Clock
}

const usualHttpPort = 9464
const reportIntervalMs = 30_000
/** Together with the steps after it, less than the six seconds that `up` allows a worker. */
const stopDeadlineMs = 4000
const lastStatusDeadlineMs = 750
/**
 * Other workers remove a worker that has not reported for a minute. The timeout keeps a connection that died silently
 * from causing that.
 */
const statusTimeoutMs = 10_000

/**
 * Runs one worker until `stop` is aborted.
 *
 * @throws KpiError when the worker cannot start or cannot continue.
 */
export async function runWorker(options: RunWorkerOptions, stop: AbortSignal): Promise<void> {
  const { config, log, clock = systemClock } = options
  const connected = await connectWorker(config, { log, clock })
  const { worker, workerId, cluster, database, failed } = connected
  let statusDatabase: Database | undefined
  let http: StatusServer | undefined
  try {
    // The status has its own connection, so that it can be reported even when the pool is exhausted.
    statusDatabase = await openDatabase(postgresOptions(config), {
      maxConnections: 1,
      applicationName: 'market-kpi consume status',
      queryTimeoutMs: statusTimeoutMs,
    })
    http = await serveWorker(worker, database, options)
    const around = { cluster, database: statusDatabase, group: config.kafkaGroup, topic: config.kafkaTopic }
    const deadMembers = new DeadMemberRemoval(connectSilentMemberPorts(around), { clock, log })
    const running = { worker, deadMembers, database, statusDatabase, workerId, http }
    await work(running, options, AbortSignal.any([stop, failed]))
  } finally {
    await closeAll([http, statusDatabase, connected])
  }
  if (failed.aborted) throw failed.reason
}

interface Running {
  readonly worker: Worker
  readonly deadMembers: DeadMemberRemoval
  readonly database: Database
  readonly statusDatabase: Database
  readonly workerId: string
  readonly http: StatusServer
}

async function work(running: Running, options: RunWorkerOptions, end: AbortSignal): Promise<void> {
  const { worker, deadMembers, database, statusDatabase, workerId, http } = running
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
  deadMembers.start()
  ready(http.url)
  const timer = setInterval(() => report(meter.interval(worker.figures, now())), reportIntervalMs)
  await aborted(end)
  clearInterval(timer)
  deadMembers.stop()
  await worker.stop(stopDeadlineMs)
  report(meter.total(worker.figures, now()))
  await status.stop(lastStatusDeadlineMs)
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

/** The health of the whole pipeline, together with this worker's own state. */
function healthBeside(worker: Worker, config: Config): StatusRoutes['health'] {
  const pipeline = observedHealth(config)
  return async () => ({
    ...(await pipeline()),
    worker: { ...worker.figures, notReady: obstaclesOf(worker.figures) },
  })
}
