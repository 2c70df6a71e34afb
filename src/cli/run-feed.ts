import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config/load.ts'
import { systemClock } from '../feed/clock.ts'
import { Feed } from '../feed/feed.ts'
import { RateMeter, reportLine } from '../feed/feed-report.ts'
import { FeedStatus } from '../feed/feed-status.ts'
import type { PriceSource } from '../feed/source.ts'
import { KafkaCluster } from '../kafka/cluster.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { Producer, type ProducerOptions } from '../kafka/producer.ts'
import type { Compression } from '../kafka/record-batch-writer.ts'
import type { Logger } from '../log.ts'
import { postgresOptions } from '../store/connection.ts'
import type { WorkerReport } from '../store/worker-status.ts'

/** Opens a source once the cluster can be asked, and says what of an earlier producer it continues. */
export type OpenFeed = (
  place: { readonly cluster: KafkaCluster; readonly topic: string },
  stop: AbortSignal,
) => Promise<{
  readonly source: (partitionCount: number) => Promise<PriceSource>
  readonly continues?: NonNullable<ProducerOptions['continues']>
}>

export interface RunFeedOptions {
  readonly config: Config
  readonly log: Logger
  readonly compression: Compression
  readonly open: OpenFeed
  /** Somebody starts it again when it ends, so it does not end by itself. */
  readonly isSupervised: boolean
  /** Called when it sends. */
  readonly ready: () => void
}

const reportIntervalMs = 30_000
// `up` allows the feed four seconds from the wish to stop to its end.
const flushDeadlineMs = 2500
const statusDeadlineMs = 500
const stopDeadlineMs = 3700

/**
 * A feed from its first connection to its last report: until its source is at its end, or `stop` is aborted.
 *
 * @returns The exit code: 1 when messages were left that no broker had acknowledged.
 * @throws KpiError when it cannot start, or cannot go on.
 */
export async function runFeed(options: RunFeedOptions, stop: AbortSignal): Promise<number> {
  const { config, log, compression } = options
  // Whatever hangs then: an attempt to connect, the database.
  const end = () => process.exit(process.exitCode ?? 1)
  stop.addEventListener('abort', () => setTimeout(end, stopDeadlineMs).unref(), { once: true })
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-feed'))
  const topic = config.kafkaTopic
  const parts: { producer?: Producer; source?: PriceSource; feed?: Feed } = {}
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
    log.info(`sending to '${topic}': ${source.description}`)
    options.ready()
    return await work(parts.feed, source, options, stop)
  } catch (error) {
    if (stop.aborted && error === stop.reason) return 0
    throw error
  } finally {
    parts.producer?.stop()
    await parts.source?.stop()
    await cluster.close()
  }
}

async function work(feed: Feed, source: PriceSource, options: RunFeedOptions, stop: AbortSignal): Promise<number> {
  const { log, isSupervised } = options
  const meter = new RateMeter()
  const report = () => log.info(reportLine(feed.figures, meter.perSecond(feed.figures)))
  const timer = setInterval(report, reportIntervalMs)
  const status = startStatus(feed, source, options)
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

function startStatus(feed: Feed, source: PriceSource, { config, log }: RunFeedOptions): FeedStatus | undefined {
  if (config.databaseUrl === undefined && config.postgresHost === undefined) {
    log.info('no database is configured: this feed writes no worker_status')
    return undefined
  }
  const meter = new RateMeter()
  const status = new FeedStatus({
    postgres: postgresOptions(config),
    workerId: `feed-${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`,
    report: () => workerReport(feed, source, meter),
    log,
  })
  status.start()
  return status
}

function workerReport({ figures }: Feed, source: PriceSource, meter: RateMeter): WorkerReport {
  const { bytes, retries, waiting } = figures
  return {
    state: figures.state,
    messagesProcessed: figures.messages,
    batchesWritten: figures.batches,
    errors: figures.rejected,
    throughputPerSecond: meter.perSecond(figures),
    detail: { source: source.description, bytes, retries, waiting },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
