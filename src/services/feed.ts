import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config/load.ts'
import { placeOfProcess } from '../config/place.ts'
import { KpiError, messageOf } from '../errors.ts'
import { Feed } from '../feed/feed.ts'
import { RateMeter, reportLine } from '../feed/feed-report.ts'
import { FeedStatus } from '../feed/feed-status.ts'
import type { PriceSource } from '../feed/source.ts'
import type { OpenFeed } from '../feed/sources/feed-source.ts'
import { KafkaCluster } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import { Producer } from '../kafka/produce/producer.ts'
import type { Compression } from '../kafka/records/record-batch-writer.ts'
import type { Logger } from '../log.ts'
import type { StatusServer } from '../metrics/status-server.ts'
import { aborted } from '../runtime/abort.ts'
import { systemClock } from '../runtime/clock.ts'
import { postgresOptions } from '../store/client/connection.ts'
import { failedState, type WorkerReport } from '../store/positions/worker-status.ts'
import { feedRoutes } from './feed-status-routes.ts'
import { serveNear } from './service-status.ts'

export interface RunFeedOptions {
  readonly config: Config
  readonly log: Logger
  readonly compression: Compression
  readonly open: OpenFeed
  /** `simulate` or `replay`, for the metrics. */
  readonly sourceKind: string
  /** Undefined for the usual port, or the next free one after it. */
  readonly httpPort: number | undefined
  /** Whether a supervisor restarts the feed. If so, the feed does not exit at the end of its source. */
  readonly isSupervised: boolean
  /** Called when sending has started, with the address of the metrics and health endpoints. */
  readonly ready: (url: string) => void
}

/** Clear of the ports of a few workers and of the alert evaluator. */
export const usualFeedPort = 9484
const reportIntervalMs = 30_000
// `up` allows the feed four seconds from the stop signal to its exit.
const flushDeadlineMs = 2500
const statusDeadlineMs = 500
const failureDeadlineMs = 2500
const stopDeadlineMs = 3700

/**
 * Runs a feed until its source is at its end, or `stop` is aborted.
 *
 * @returns The exit code: 1 when some messages were not acknowledged by a broker.
 * @throws KpiError when the feed cannot start or cannot continue.
 */
export async function runFeed(options: RunFeedOptions, stop: AbortSignal): Promise<number> {
  const { config, log, compression } = options
  // Exits even if an operation hangs, for example a connection attempt or a database query.
  const end = () => process.exit(process.exitCode ?? 1)
  stop.addEventListener('abort', () => setTimeout(end, stopDeadlineMs).unref(), { once: true })
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-feed'))
  const topic = config.kafkaTopic
  const parts: { producer?: Producer; source?: PriceSource; feed?: Feed; http?: StatusServer } = {}
  try {
    const { source: openSource, continues } = await options.open({ cluster, topic }, stop)
    const producer = new Producer({
      cluster,
      topic,
      log,
      compression,
      onFailure: (error) => parts.feed?.fail(error),
      ...(continues ? { continues } : {}),
    })
    parts.producer = producer
    await producer.start(stop)
    const source = await openSource(producer.partitionCount)
    parts.source = source
    parts.feed = new Feed({ source, producer, clock: systemClock })
    const routes = feedRoutes({ ...options, feed: parts.feed, cluster, stop })
    parts.http = await serveNear({ ...options, usualPort: usualFeedPort }, routes)
    log.info(`sending to '${topic}': ${source.description}; HTTP at ${parts.http.url}`)
    options.ready(parts.http.url)
    const { url } = parts.http
    const place = placeOfProcess(options.httpPort, url)
    return await work({ feed: parts.feed, source, http: url, place }, options, stop)
  } catch (error) {
    if (stop.aborted && error === stop.reason) return 0
    if (error instanceof KpiError && !error.retryable) await recordFailure(error, parts, options)
    throw error
  } finally {
    await parts.http?.close()
    parts.producer?.stop()
    await parts.source?.stop()
    await cluster.close()
  }
}

interface Running {
  readonly feed: Feed
  readonly source: PriceSource
  /** The address of the metrics and health endpoints. */
  readonly http: string
  readonly place: string | null
}

async function work(running: Running, options: RunFeedOptions, stop: AbortSignal): Promise<number> {
  const { feed } = running
  const { log, isSupervised } = options
  const meter = new RateMeter()
  const report = () => log.info(reportLine(feed.figures, meter.perSecond(feed.figures)))
  const timer = setInterval(report, reportIntervalMs)
  const status = startStatus(running, options)
  try {
    const left = await feed.run(stop, flushDeadlineMs)
    if (isSupervised && !stop.aborted) {
      log.info('the source is at its end')
      await aborted(stop)
    }
    if (left > 0) log.warn(`${left} messages were not acknowledged before the feed had to stop`)
    return left > 0 ? 1 : 0
  } finally {
    clearInterval(timer)
    log.info(reportLine(feed.figures, new RateMeter().perSecond(feed.figures)))
    await status?.stop(statusDeadlineMs)
  }
}

function startStatus(running: Running, { config, log }: RunFeedOptions): FeedStatus | undefined {
  if (config.databaseUrl === undefined && config.postgresHost === undefined) {
    log.info('no database is configured: this feed writes no worker_status')
    return undefined
  }
  const meter = new RateMeter()
  const status = new FeedStatus({
    postgres: postgresOptions(config),
    workerId: newFeedId(),
    report: () => workerReport(running, meter),
    log,
  })
  status.start()
  return status
}

/** Records the failure in worker_status, for users who do not have the feed's log. */
async function recordFailure(
  error: KpiError,
  { feed, source }: { readonly feed?: Feed; readonly source?: PriceSource },
  { config, log, sourceKind }: RunFeedOptions,
): Promise<void> {
  if (config.databaseUrl === undefined && config.postgresHost === undefined) return
  const { messages = 0, batches = 0, rejected = 0 } = feed?.figures ?? {}
  const status = new FeedStatus({
    postgres: postgresOptions(config),
    workerId: newFeedId(),
    report: () => ({
      state: failedState,
      messagesProcessed: messages,
      batchesWritten: batches,
      errors: rejected,
      throughputPerSecond: 0,
      detail: { source: source?.description ?? sourceKind, failure: messageOf(error) },
    }),
    log,
  })
  status.start()
  await status.stop(failureDeadlineMs)
}

function newFeedId(): string {
  return `feed-${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`
}

function workerReport({ feed: { figures }, source, http, place }: Running, meter: RateMeter): WorkerReport {
  const { bytes, retries, waiting, endedAtMs } = figures
  const { replay } = source
  return {
    state: figures.state,
    messagesProcessed: figures.messages,
    batchesWritten: figures.batches,
    errors: figures.rejected,
    throughputPerSecond: meter.perSecond(figures),
    http,
    detail: {
      source: source.description,
      bytes,
      retries,
      waiting,
      ...(place === null ? {} : { place }),
      ...(replay === undefined ? {} : { replay }),
      ...(endedAtMs === null ? {} : { endedAtMs }),
    },
  }
}
