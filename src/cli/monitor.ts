import { type Command, InvalidArgumentError } from 'commander'
import type { Config } from '../config/load.ts'
import { thresholdsOf } from '../config/thresholds.ts'
import { assert } from '../errors.ts'
import type { MonitorPorts } from '../monitor/monitor-ports.ts'
import { onceReport } from '../monitor/once-report.ts'
import { Refresher } from '../monitor/refresher.ts'
import { type TickData, tickJson, tickLine } from '../monitor/tick-report.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { aborted } from '../runtime/abort.ts'
import { monitorAlerts } from '../services/monitor-alerts.ts'
import { observerOf } from '../services/observer-of.ts'
import { postgresOptions } from '../store/client/connection.ts'
import { SymbolStatisticsReader } from '../store/windows/symbol-statistics.ts'
import { addSettingOptions, addStackOption, configure, isColourful, withErrors } from './command.ts'

interface MonitorFlags {
  readonly once?: true
  readonly json?: true
  readonly interval?: number
}

const exitCodes = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const

export function register(command: Command): void {
  command
    .option('--interval <seconds>', 'time between two checks (default: REFRESH_INTERVAL_SECONDS, 5)', seconds)
    .option('--once', 'print everything once; the exit code is the verdict')
    .option('--json', 'print one line of JSON per check; with --once only one')
  const isOnce = () => command.opts<MonitorFlags>().once === true
  addStackOption(command, () => (isOnce() ? 'reader' : 'pipeline'))
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(
      withErrors(
        (_flags: unknown, self: Command) => monitor(self),
        () => (isOnce() ? 'check' : 'work'),
      ),
    )
}

const help = `
Without a terminal, or with TERM=dumb, it prints one line per check: time, verdict, rate, lag, rows, first finding.

Exit codes of --once:
  0  everything is OK
  1  there is a warning
  2  something is broken
  3  the check failed

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; a role that may read it is enough
  NO_COLOR                           no colours
  all settings: docs/configuration.md`

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0.5 && value <= 3600) return value
  throw new InvalidArgumentError('must be a number from 0.5 to 3600')
}

async function monitor(command: Command): Promise<number> {
  const { config } = configure(command)
  const flags = command.opts<MonitorFlags>()
  const ports = portsOf(config)
  const intervalMs = (flags.interval ?? config.refreshIntervalSeconds) * 1000
  // Exit explicitly: a pending connection to a host that drops packets would keep the process alive until it times
  // out.
  if (flags.once) process.exit(await once(ports, flags.json ?? false))
  const stopRequest = listenForStop(() => undefined)
  stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
  if (flags.json || !isScreen()) await ticks(ports, { intervalMs, stop: stopRequest.stop, isJson: flags.json ?? false })
  else await screen(ports, intervalMs, stopRequest.stop)
  process.exit(0)
}

function portsOf(config: Config): MonitorPorts {
  const observer = observerOf(config, thresholdsOf(config))
  const statistics = new SymbolStatisticsReader(postgresOptions(config))
  return {
    observe: () => observer.observe(0),
    statistics: (signal) => statistics.read(signal),
    alerts: monitorAlerts(config),
  }
}

function isScreen(): boolean {
  return process.stdout.isTTY === true && process.stdin.isTTY === true && process.env.TERM !== 'dumb'
}

async function screen(ports: MonitorPorts, intervalMs: number, stop: AbortSignal): Promise<void> {
  // The development build of React measures every render and keeps the measurements in memory.
  process.env.NODE_ENV = 'production'
  const { runTerminal } = await import('../monitor/terminal.ts')
  const { stdin, stdout } = process
  await runTerminal(ports, { intervalMs, stop, stdin, stdout, hasColours: isColourful(stdout), now: Date.now })
}

async function once(ports: MonitorPorts, isJson: boolean): Promise<number> {
  const looked = Promise.withResolvers<void>()
  const refresher = new Refresher(ports, {
    intervalMs: 0,
    steadyMs: () => performance.now(),
    onRefresh: looked.resolve,
  })
  refresher.start()
  await looked.promise
  const data = seenBy(refresher)
  await refresher.stop()
  await print(isJson ? tickJson(data) : onceReport(data))
  return exitCodes[data.observation.assessment.verdict]
}

interface TickOptions {
  readonly intervalMs: number
  readonly stop: AbortSignal
  readonly isJson: boolean
}

async function ticks(ports: MonitorPorts, { intervalMs, stop, isJson }: TickOptions): Promise<void> {
  const onRefresh = () => {
    const data = seenBy(refresher)
    void print(isJson ? tickJson(data) : tickLine(data.observation))
  }
  const refresher = new Refresher(ports, { intervalMs, steadyMs: () => performance.now(), onRefresh })
  refresher.start()
  await aborted(stop)
  await refresher.stop()
}

function seenBy({ data }: Refresher): TickData {
  const { observation, statistics, alerts } = data
  assert(observation, 'a completed check has an observation')
  return { observation, statistics, alerts }
}

/** Resolves when the text is written, because the process may exit right after. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve())
  })
}
