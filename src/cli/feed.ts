import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { ReplaySource } from '../feed/replay/replay-source.ts'
import { findResumePoint } from '../feed/replay/resume-point.ts'
import { SimulateSource } from '../feed/simulate/simulate-source.ts'
import { symbolNames } from '../feed/simulate/symbols.ts'
import type { Logger } from '../log.ts'
import { announceReady, whenSupervisorGone } from '../process/ready-signal.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { systemClock } from '../runtime/clock.ts'
import { type OpenFeed, runFeed, usualFeedPort } from '../services/feed.ts'
import { httpPortHelp } from '../services/service-status.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'
import { addFeedOptions, checkFeedOptions, type FeedFlags, parseFeedSource } from './options/feed-options.ts'
import { openReplayFile } from './options/replay-file.ts'
import { readOptions } from './options/replay-options.ts'

const help = `
Sources:
  simulate       simulated, correlated prices of SYMBOLS, with the volatility and volume of a trading day
  replay:FILE    the lines of a CSV or JSON file, which may be compressed (gzip, zip, zstd) or UTF-16; when it is
                 started again, it continues after the last line that is in the topic

A file whose form is not recognised is refused, with the option that helps. Examples:
  feed replay:klines.csv --layout binance-klines --symbol BTCUSDT
  feed replay:bars.csv --time-zone America/New_York --bar-time end --bar-seconds 300
  feed replay:kurse.csv --decimal , --thousands . --time-format 'dd/MM/yyyy HH:mm'

Environment:
  DATABASE_URL or POSTGRES_HOST, …   where the feed writes its worker_status (optional)
  KAFKA_SECURITY_PROTOCOL, …         TLS and logins
  all settings: docs/configuration.md; files, columns and resuming: docs/feeds.md

It reports what it has sent (what the brokers have acknowledged) every 30 s and when it ends.`

export function register(command: Command): void {
  command.argument('[source]', 'simulate or replay:FILE', 'simulate')
  addFeedOptions(command).option('--http-port <port>', httpPortHelp(usualFeedPort), wholeNumber(0, 65_535))
  addStackOption(command, 'pipeline')
  addSettingOptions(command, ['symbols', 'kafkaBootstrapServers', 'kafkaTopic'])
    .addHelpText('after', help)
    .action(withErrors((source: string, _flags: unknown, self: Command) => feed(source, self)))
}

async function feed(sourceText: string, command: Command): Promise<number> {
  const source = parseFeedSource(sourceText)
  const flags = checkFeedOptions(command, source.kind)
  const { httpPort } = command.opts<{ httpPort?: number }>()
  const { config, log } = configure(command)
  const open = source.kind === 'simulate' ? simulate(flags, config) : await replay(source.file, flags, { config, log })
  const stopRequest = listenForStop((what) =>
    log.info(what === 'stop' ? 'stopping; interrupt again to stop at once' : 'stopping at once'),
  )
  const gone = new AbortController()
  whenSupervisorGone(() => gone.abort())
  stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
  try {
    const { compression } = flags
    const options = { config, log, compression, open, sourceKind: source.kind, httpPort, ready: announceReady }
    return await runFeed(
      { ...options, isSupervised: process.connected },
      AbortSignal.any([stopRequest.stop, gone.signal]),
    )
  } finally {
    stopRequest.release()
  }
}

function simulate(flags: FeedFlags, config: Config): OpenFeed {
  const source = new SimulateSource(
    {
      ...flags,
      names: symbolNames(config.symbols),
      seed: flags.seed ?? randomBytes(4).toString('hex'),
      ratePerSecond: flags.rate,
      pauseEverySeconds: flags.pauseEvery,
      pauseForSeconds: flags.pauseFor,
    },
    systemClock,
  )
  return async () => ({ source: async () => source })
}

/** A file that cannot be read is told before anything else is tried. */
async function replay(
  path: string,
  flags: FeedFlags,
  { config, log }: { config: Config; log: Logger },
): Promise<OpenFeed> {
  const reading = readOptions(flags)
  const file = await openReplayFile(path)
  const { maxFutureSeconds, decimals } = config
  return async ({ cluster, topic }, stop) => {
    const resume = flags.fromStart ? undefined : await findResumePoint({ cluster, topic, file, log }, stop)
    const { speed, shiftToNow = false } = flags
    const options = { ...reading, file, resume, speed, shiftToNow, maxFutureSeconds, decimals, clock: systemClock, log }
    return {
      ...(resume ? { continues: resume.producers } : {}),
      source: (partitionCount) => ReplaySource.open({ ...options, partitionCount }),
    }
  }
}
