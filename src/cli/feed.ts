import type { Command } from 'commander'
import { feedSources, parseSource, spellingOf, spellings } from '../feed/sources/registry.ts'
import type { Compression } from '../kafka/records/record-batch-writer.ts'
import { announceReady, whenSupervisorGone } from '../process/ready-signal.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { runFeed, usualFeedPort } from '../services/feed.ts'
import { httpPortHelp } from '../services/service-status.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'
import { addFeedOptions, checkFeedOptions } from './options/feed-options.ts'

const help = `
Sources:
${feedSources.map((source) => `  ${spellingOf(source).padEnd(14)} ${source.about.replaceAll('\n', `\n${' '.repeat(17)}`)}`).join('\n')}

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
  command.argument('[source]', spellings(), 'simulate')
  addFeedOptions(command).option('--http-port <port>', httpPortHelp(usualFeedPort), wholeNumber(0, 65_535))
  addStackOption(command, 'pipeline')
  addSettingOptions(command, ['symbols', 'kafkaBootstrapServers', 'kafkaTopic'])
    .addHelpText('after', help)
    .action(withErrors((source: string, _flags: unknown, self: Command) => feed(source, self)))
}

async function feed(text: string, command: Command): Promise<number> {
  const { source, argument } = parseSource(text)
  checkFeedOptions(command, source)
  const flags = command.opts<{ httpPort?: number; compression: Compression }>()
  const { config, log } = configure(command)
  const { open } = await source.prepare({ argument, flags, config, log })
  const stopRequest = listenForStop((what) =>
    log.info(what === 'stop' ? 'stopping; interrupt again to stop at once' : 'stopping at once'),
  )
  const gone = new AbortController()
  whenSupervisorGone(() => gone.abort())
  stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
  try {
    const { compression, httpPort } = flags
    const options = { config, log, compression, open, sourceKind: source.name, httpPort, ready: announceReady }
    return await runFeed(
      { ...options, isSupervised: process.connected },
      AbortSignal.any([stopRequest.stop, gone.signal]),
    )
  } finally {
    stopRequest.release()
  }
}
