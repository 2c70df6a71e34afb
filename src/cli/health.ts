import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { type Thresholds, thresholdsOf } from '../config/thresholds.ts'
import { healthJson, healthPerfdata, healthText } from '../observe/health-report.ts'
import type { Observation } from '../observe/observer.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { observerOf } from '../services/observer-of.ts'
import { addSettingOptions, addStackOption, configure, withErrors } from './command.ts'
import { paint } from './text/table.ts'

interface HealthFlags {
  readonly json?: true
  readonly quiet?: true
  readonly perfdata?: true
  readonly watch?: number | true
}

const exitCodes = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const

export function register(command: Command): void {
  command
    .option('--json', 'print application/health+json')
    .option('--quiet', 'print only problems, and nothing if there are none')
    .option('--perfdata', 'print one line with performance data for Nagios')
    .option('--watch [seconds]', 'repeat the check until Ctrl-C (default: every REFRESH_INTERVAL_SECONDS)', seconds)
  addStackOption(command, 'reader')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => health(self), 'check'))
}

const help = `
Some problems show only over time, for example whether the lag grows. A single check omits them or reports them as
unknown; --watch finds them.

Exit codes:
  0  everything is OK
  1  there is a warning
  2  something is broken; the last line names the first broken stage
  3  the check failed

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; a role that may read it is enough
  thresholds and trading hours: docs/operations.md
  all settings: docs/configuration.md`

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0.5 && value <= 86_400) return value
  throw new InvalidArgumentError('must be a number from 0.5 to 86400')
}

async function health(command: Command): Promise<number> {
  const { config } = configure(command)
  const flags = command.opts<HealthFlags>()
  const thresholds = thresholdsOf(config)
  const observer = observerOf(config, thresholds)
  const look = async () => {
    const observation = await observer.observe(0)
    await print(rendered(observation, thresholds, flags))
    return exitCodes[observation.assessment.verdict]
  }
  if (flags.watch === undefined) {
    // Exit explicitly: a pending connection to a host that drops packets would keep the process alive until it times
    // out.
    process.exit(await look())
  }
  return watch(look, flags.watch === true ? config.refreshIntervalSeconds : flags.watch)
}

function rendered(observation: Observation, thresholds: Thresholds, flags: HealthFlags): string {
  if (flags.json) return `${JSON.stringify(healthJson(observation, thresholds))}\n`
  if (flags.perfdata) return healthPerfdata(observation, thresholds)
  const text = healthText(observation, thresholds, { paint, isQuiet: flags.quiet ?? false })
  if (flags.watch === undefined || text === '') return text
  return `${new Date(observation.snapshot.takenAtMs).toISOString()}\n${text}\n`
}

/** @returns The exit code of the last check. */
async function watch(look: () => Promise<number>, intervalSeconds: number): Promise<number> {
  const stopRequest = listenForStop(() => undefined)
  stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
  try {
    for (;;) {
      const startMs = performance.now()
      const code = await look()
      const restMs = Math.max(0, intervalSeconds * 1000 - (performance.now() - startMs))
      await delay(restMs, undefined, { signal: stopRequest.stop }).catch(() => undefined)
      if (stopRequest.stop.aborted) return code
    }
  } finally {
    stopRequest.release()
  }
}

/** Resolves when the text is written, because the process may exit right after. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve())
  })
}
