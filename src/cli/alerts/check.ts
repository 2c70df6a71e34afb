import type { Command } from 'commander'
import { checkJson, checkReport, checkText, healthyOwnRules } from '../../alerts/check-report.ts'
import { thresholdsOf } from '../../config/thresholds.ts'
import { healthyItems } from '../../observe/checked-items.ts'
import { observerOf } from '../../services/observer-of.ts'
import { observeSignals, userRules } from '../../services/signals.ts'
import { addSettingOptions, addStackOption, configure, withErrors } from '../command.ts'

export function registerCheck(command: Command): void {
  command
    .option('--json', 'print an array')
    .option('--quiet', 'print only problems')
    .option('--all', 'also print symptoms of other alerts, and rules that cannot be judged')
  addStackOption(command, 'reader')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => check(self), 'check'))
}

const help = `
It prints one line for each problem and one [INFO] line for each item that is OK, then the number of warnings and critical
findings. It needs no evaluator, sends no notifications and ignores silences. A single check cannot find problems that show
only over time, such as a growing lag.

Exit codes:
  0  no problems
  1  there is a warning
  2  something is critical
  3  the check failed

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; a role that may read it is enough
  thresholds, trading hours and your own rules: docs/operations.md
  all settings: docs/configuration.md`

async function check(command: Command): Promise<void> {
  const { config } = configure(command)
  const { json, all = false, quiet = false } = command.opts<{ json?: true; all?: true; quiet?: true }>()
  const rules = userRules()
  const thresholds = thresholdsOf(config)
  const { observation, signals } = await observeSignals(config, observerOf(config, thresholds), rules)()
  const own = healthyOwnRules(
    rules.map(({ name }) => name),
    signals,
  )
  const checked = { signals, healthy: [...healthyItems(observation, thresholds), ...own] }
  const report = checkReport(checked, { nowMs: Date.now(), runbookBaseUrl: config.alertRunbookBaseUrl })
  const shown = { isAll: all, isQuiet: quiet }
  const text = json ? checkJson(report, shown) : checkText(report, shown)
  // Exit explicitly: a pending connection to a host that drops packets would keep the process alive until it times
  // out.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  process.exit(report.exitCode)
}
