import { type Command, Option } from 'commander'
import { makeNotifiers } from '../../alerts/notifiers/make-notifiers.ts'
import { announceReady, whenSupervisorGone } from '../../process/ready-signal.ts'
import { listenForStop } from '../../process/stop-signals.ts'
import { runEvaluator } from '../../services/evaluator.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from '../command.ts'
import { ageOption } from '../options/time-option.ts'

export function registerWatch(command: Command): void {
  command
    .addOption(new Option('--interval <time>', 'time between two checks').argParser(ageOption).default(15_000, '15s'))
    .option(
      '--http-port <port>',
      'port of /metrics, /livez, /readyz and /health on this machine; 0 for any free one (default: 9494, or the next free one)',
      wholeNumber(0, 65_535),
    )
  addStackOption(command, 'pipeline')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => watch(self)))
}

const help = `
Several may run, also on several machines: one of them sends notifications, and another one takes over if it fails.

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database, as the role bi_user
  BI_READER_PASSWORD                 for your own SQL rules, which run as the role bi_reader
  ALERT_…                            the receivers; without any, notifications are only logged
  thresholds, trading hours and your own rules: docs/operations.md
  all settings: docs/configuration.md`

/** Less than the six seconds that `up` waits for this process. */
const stopDeadlineMs = 4500

async function watch(command: Command): Promise<void> {
  const { config, log } = configure(command)
  const { interval, httpPort } = command.opts<{ interval: number; httpPort?: number }>()
  const stopRequest = listenForStop((what) =>
    log.info(what === 'stop' ? 'stopping; interrupt again to stop at once' : 'stopping at once'),
  )
  const gone = new AbortController()
  whenSupervisorGone(() => gone.abort())
  stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
  const end = AbortSignal.any([stopRequest.stop, gone.signal])
  // Each step saves its state, so nothing is lost when the process exits. Observing servers that do not respond takes
  // longer than `up` waits.
  end.addEventListener('abort', () => setTimeout(() => process.exit(0), stopDeadlineMs).unref(), { once: true })
  try {
    const notifiers = makeNotifiers(config, log)
    log.info(`alerts go to ${notifiers.map(({ name }) => name).join(', ')}`)
    await runEvaluator(
      {
        config,
        log,
        notifiers,
        intervalMs: interval,
        httpPort,
        ready: (url) => {
          log.info(`watching, HTTP at ${url}`)
          announceReady(url)
        },
      },
      end,
    )
  } finally {
    stopRequest.release()
  }
  // Exit explicitly: a pending connection to a host that drops packets would keep the process alive until it times
  // out.
  process.exit(0)
}
