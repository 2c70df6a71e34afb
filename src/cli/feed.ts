import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Command } from 'commander'
import { type Config, loadConfig } from '../config/load.ts'
import { announceReady, whenSupervisorGone } from '../embedded/ready-signal.ts'
import { listenForStop } from '../embedded/stop-signals.ts'
import { KpiError } from '../errors.ts'
import { systemClock } from '../feed/clock.ts'
import { Feed, type FeedFigures } from '../feed/feed.ts'
import { RateMeter, reportLine } from '../feed/feed-report.ts'
import { FeedStatus } from '../feed/feed-status.ts'
import { SimulateSource } from '../feed/simulate/simulate-source.ts'
import { symbolNames } from '../feed/simulate/symbols.ts'
import type { PriceSource } from '../feed/source.ts'
import { KafkaCluster } from '../kafka/cluster.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { Producer } from '../kafka/producer.ts'
import { createLogger, type Logger } from '../log.ts'
import { postgresOptions } from '../store/connection.ts'
import { withErrors } from './command.ts'
import { addFeedOptions, checkFeedOptions, type FeedFlags } from './feed-options.ts'

const reportIntervalMs = 30_000
const flushDeadlineMs = 5000
/** Under `up`, which allows the feed four seconds in all. */
const supervisedFlushDeadlineMs = 3000
const statusDeadlineMs = 500

export function register(program: Command): void {
  const command = program
    .command('feed')
    .description('send prices to Kafka, from a simulated market or from a file')
    .argument('[source]', 'simulate or replay:FILE', 'simulate')
    .option('--symbols <x>')
    .option('--topic <x>')
  addFeedOptions(command)
    .addHelpText('after', 'HELP')
    .action(withErrors((source: string, _flags: unknown, self: Command) => feed(source, self)))
}

async function feed(sourceText: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<FeedFlags>()
  const config = loadConfig({
    flags: {
      ...(flags.symbols === undefined ? {} : { symbols: flags.symbols }),
      ...(flags.topic === undefined ? {} : { kafkaTopic: flags.topic }),
      ...(flags.bootstrapServers === undefined ? {} : { kafkaBootstrapServers: flags.bootstrapServers }),
      ...(flags.logLevel === undefined ? {} : { logLevel: flags.logLevel }),
      ...(flags.logFormat === undefined ? {} : { logFormat: flags.logFormat }),
    },
  })
  const log = createLogger({ level: config.logLevel, format: config.logFormat })
  const seed = flags.seed ?? randomBytes(4).toString('hex')
  const source = new SimulateSource(
    {
      ...flags,
      ratePerSecond: flags.rate,
      names: symbolNames(config.symbols),
      seed,
      pauseEverySeconds: flags.pauseEvery,
      pauseForSeconds: flags.pauseFor,
    },
    systemClock,
  )
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-feed'))
  const producer: Producer = new Producer({
    cluster,
    topic: config.kafkaTopic,
    log,
    compression: flags.compression,
    onFailure: (error) => theFeed.fail(error),
  })
  await producer.start()
  const theFeed: Feed = new Feed({ source, producer, clock: systemClock })
  const wish = listenForStop(() => log.info('stopping'))
  announceReady()
  const meter = new RateMeter()
  const timer = setInterval(
    () =>
      log.info(
        reportLine(theFeed.figures, meter.perSecond(theFeed.figures)) +
          ` rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
      ),
    2000,
  )
  const left = await theFeed.run(wish.stop, flushDeadlineMs)
  clearInterval(timer)
  const f = theFeed.figures
  log.info(
    reportLine(f, f.messages / f.elapsedSeconds) +
      ` left ${left} rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  )
  producer.stop()
  await cluster.close()
  wish.release()
}
