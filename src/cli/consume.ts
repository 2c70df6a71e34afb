import type { Command } from 'commander'
import { reportLine } from '../consumer/report.ts'
import { announceReady, whenSupervisorGone } from '../process/ready-signal.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { runWorker } from '../services/worker.ts'
import { runWorkerProcesses } from '../services/worker-processes.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'

interface ConsumeFlags {
  readonly workers: number
  readonly httpPort?: number
}

export function register(command: Command): void {
  command
    .option('--workers <n>', 'number of worker processes, which share the partitions', wholeNumber(1, 64), 1)
    .option(
      '--http-port <port>',
      'port of /metrics, /livez, /readyz and /health on this machine; further workers use the next ports; 0 for any free one (default: 9464, or the next free one)',
      wholeNumber(0, 65_535),
    )
  addStackOption(command, 'pipeline')
  addSettingOptions(command, [
    'batchSize',
    'batchWaitMs',
    'maxPoolConnections',
    'kafkaBootstrapServers',
    'kafkaTopic',
    'kafkaGroup',
  ])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => consume(self)))
}

const help = `
Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database, as the role bi_user
  KAFKA_SECURITY_PROTOCOL, …         TLS and logins
  all settings: docs/configuration.md

Each worker reports messages_processed, batches_written, errors (rejected messages), elapsed_seconds and
throughput_msg_per_sec every 30 s and when it ends.`

/** Time for the last log lines to be written. */
const lingerMs = 250

async function consume(command: Command): Promise<void> {
  const { config, log } = configure(command)
  const { workers, httpPort } = command.opts<ConsumeFlags>()
  const stopRequest = listenForStop((what) =>
    log.info(what === 'stop' ? 'stopping; interrupt again to stop at once' : 'stopping at once'),
  )
  try {
    if (workers > 1) {
      await runWorkerProcesses({ command, workers, httpPort, log }, stopRequest)
      return
    }
    const gone = new AbortController()
    whenSupervisorGone(() => gone.abort())
    stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
    const end = AbortSignal.any([stopRequest.stop, gone.signal])
    // No messages are read before the worker is ready, so it may exit at once. A server that does not respond must
    // not delay that.
    const leave = () => process.exit(0)
    end.addEventListener('abort', leave)
    await runWorker(
      {
        config,
        log,
        httpPort,
        report: (report) => process.stdout.write(`${reportLine(report)}\n`),
        ready: (url) => {
          end.removeEventListener('abort', leave)
          log.info(`working, HTTP at ${url}`)
          announceReady(url)
        },
      },
      end,
    )
  } finally {
    stopRequest.release()
    // A connection to a server that does not respond must not delay the exit.
    setTimeout(() => process.exit(), lingerMs).unref()
  }
}
