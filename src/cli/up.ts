import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Config } from '../config/load.ts'
import { KpiError } from '../errors.ts'
import { feedSources, parseSource, spellings } from '../feed/sources/registry.ts'
import type { Logger } from '../log.ts'
import { cliEntry } from '../process/cli-entry.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { prepareForUp } from '../services/prepare.ts'
import { defaultDataDir } from '../stack/data-dir.ts'
import { runStack } from '../stack/stack.ts'
import { configure, wholeNumber, withErrors } from './command.ts'
import { compressionOption, recordOptions } from './options/feed-options.ts'

interface UpFlags {
  readonly dataDir: string
  readonly feed: string
  readonly workers: number
  readonly kafkaPort: number
  readonly postgresPort: number
  readonly alerts: boolean
}

/** Sources whose options `up` also accepts, and passes on. */
const configuredByUp = feedSources.filter((source) => source.isConfiguredByUp)

/** The port for metrics and health of the first worker. The other workers get the next free ports. */
const workerPort = 9464

export function register(command: Command): void {
  const forFeed = [...configuredByUp.flatMap((source) => source.options()), compressionOption()]
  command
    .option('--data-dir <dir>', 'where all data is kept between runs', defaultDataDir)
    .option('--feed <source>', spellings(feedSources, ['none']), feedSource, 'simulate')
    .option('--workers <n>', 'number of worker processes', wholeNumber(1, 64), 1)
    .option('--kafka-port <port>', 'port of the broker; 0 for any free one', wholeNumber(0, 65_535), 19_092)
    .option('--postgres-port <port>', 'port of the database; 0 for any free one', wholeNumber(0, 65_535), 15_432)
    // Start scripts may pass it already: without the web dashboard it changes nothing.
    .addOption(new Option('--no-dashboard').hideHelp())
    .option('--no-alerts', 'do not evaluate alerts')
    .optionsGroup(`Options of --feed ${spellings(configuredByUp)} (docs/feeds.md):`)
  for (const option of forFeed) command.addOption(option)
  const given = recordOptions(command, forFeed)
  command
    .addHelpText(
      'after',
      `
Environment:
  KAFKA_BOOTSTRAP_SERVERS          use these brokers instead of starting one
  DATABASE_URL or POSTGRES_HOST    use this PostgreSQL instead of starting one
  MARKET_KPI_CACHE                 where the broker's jars are kept (~/.cache/market-kpi)
  JAVA_HOME                        the Java to run the broker with`,
    )
    .action(withErrors((_flags: unknown, self: Command) => up(self, given)))
}

/** Checked before anything is started. */
function feedSource(text: string): string {
  try {
    if (text !== 'none') parseSource(text)
    return text
  } catch (error) {
    if (!(error instanceof KpiError)) throw error
    const isLive = text === 'yahoo' || text.startsWith('ccxt:')
    throw new InvalidArgumentError(
      `${isLive ? 'live prices are not in this version yet: ' : ''}must be ${spellings(feedSources, ['none'])}`,
    )
  }
}

/** @param given - The options for the feed. */
async function up(command: Command, given: readonly string[]): Promise<void> {
  const { config, log } = configure(command)
  const flags = command.opts<UpFlags>()
  await checkFeed(flags, given, { config, log })
  const stopRequest = listenForStop((what) =>
    log.info(what === 'stop' ? 'stopping; interrupt again to stop at once' : 'stopping at once'),
  )
  try {
    await runStack(
      {
        ...flags,
        feedOptions: given,
        workerPort,
        config,
        cliEntry,
        prepare: async (environment) => {
          await prepareForUp(configure(command, { ...process.env, ...environment }).config, log)
        },
        log,
        print: (line) => process.stdout.write(`${line}\n`),
        env: process.env,
      },
      stopRequest.stop,
      stopRequest.forceStop,
    )
  } finally {
    stopRequest.release()
  }
}

/** @throws KpiError `KPI_FEED_FILE` for a file that cannot be read, `KPI_USAGE` for invalid options. */
async function checkFeed(
  flags: UpFlags,
  given: readonly string[],
  { config, log }: { readonly config: Config; readonly log: Logger },
): Promise<void> {
  const chosen = flags.feed === 'none' ? undefined : parseSource(flags.feed)
  const stray = given.find((option) => option.startsWith('--'))
  if (stray !== undefined && !chosen?.source.isConfiguredByUp) {
    throw new KpiError('KPI_USAGE', `${stray} belongs to --feed ${spellings(configuredByUp)}, not to ${flags.feed}`)
  }
  if (chosen) await (await chosen.source.prepare({ argument: chosen.argument, flags, config, log })).close()
}
