import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { defaultDataDir } from '../embedded/data-dir.ts'
import { runStack } from '../embedded/stack.ts'
import { listenForStop } from '../embedded/stop-signals.ts'
import type { Logger } from '../log.ts'
import { configure, wholeNumber, withErrors } from './command.ts'
import { cliEntry } from './entry.ts'

/** Creates or upgrades topic, schema and roles on the servers of a configuration. */
export type PreparePipeline = (config: Config, log: Logger) => Promise<unknown>

interface UpFlags {
  readonly dataDir: string
  readonly feed: string
  readonly workers: number
  readonly kafkaPort: number
  readonly postgresPort: number
}

/** Of the first worker's metrics and health; the others get the next free ones. */
const workerPort = 9464

export function register(program: Command, prepare: PreparePipeline): void {
  program
    .command('up')
    .description('run the whole pipeline on this machine: Kafka, PostgreSQL, feed and workers, until Ctrl-C')
    .option('--data-dir <dir>', 'where everything is kept between runs', defaultDataDir)
    .option('--feed <source>', 'simulate, replay:FILE, yahoo, ccxt:EXCHANGE or none', 'simulate')
    .option('--workers <n>', 'consumer processes', wholeNumber(1, 64), 1)
    .option('--kafka-port <port>', 'of the broker; 0 for any free one', wholeNumber(0, 65_535), 19_092)
    .option('--postgres-port <port>', 'of the database; 0 for any free one', wholeNumber(0, 65_535), 15_432)
    .option('--dashboard-port <port>', 'of the web dashboard; 0 for any free one', wholeNumber(0, 65_535), 8080)
    .option('--no-dashboard', 'leave out the web dashboard')
    .option('--no-alerts', 'leave out the alert evaluator')
    .addHelpText(
      'after',
      `
Environment:
  KAFKA_BOOTSTRAP_SERVERS          use these brokers instead of starting one
  DATABASE_URL or POSTGRES_HOST    use this PostgreSQL instead of starting one
  MARKET_KPI_CACHE                 where the broker's jars are kept (~/.cache/market-kpi)
  JAVA_HOME                        the Java to run the broker with`,
    )
    .action(withErrors((_flags: unknown, command: Command) => up(command, prepare)))
}

async function up(command: Command, prepare: PreparePipeline): Promise<void> {
  const { config, log } = configure(command)
  const wish = listenForStop((what) => log.info(what === 'stop' ? 'stopping; again to hurry' : 'stopping at once'))
  try {
    await runStack(
      {
        ...command.opts<UpFlags>(),
        workerPort,
        config,
        cliEntry,
        prepare: async (environment) => {
          await prepare(configure(command, { ...process.env, ...environment }).config, log)
        },
        log,
        print: (line) => process.stdout.write(`${line}\n`),
        env: process.env,
      },
      wish.stop,
      wish.hurry,
    )
  } finally {
    wish.release()
  }
}
