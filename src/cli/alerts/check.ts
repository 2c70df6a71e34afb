import type { Command } from 'commander'
import { checkJson, checkReport, checkText, healthyOwnRules } from '../../alerts/check-report.ts'
import { thresholdsOf } from '../../config/thresholds.ts'
import { healthyItems } from '../../observe/checked-items.ts'
import { observerOf } from '../../services/observer-of.ts'
import { lookForSignals, userRules } from '../../services/signals.ts'
import { addSettingOptions, addStackOption, configure, withErrors } from '../command.ts'

export function registerCheck(parent: Command): void {
  const command = parent
    .command('check')
    .description('check everything once, and print what is wrong and what is well')
    .option('--json', 'print an array')
    .option('--quiet', 'print only what is wrong')
    .option('--all', 'also print what another alert explains, and what cannot be judged')
  addStackOption(command, 'reader')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => check(self), 'check'))
}

const help = `
It prints a line for each thing that is wrong and one [INFO] line for each thing that is well, then the number of
warnings and critical findings. It needs no evaluator, notifies nobody and ignores silences. One check cannot judge what
takes time, such as whether a lag grows.

Exit codes:
  0  nothing is wrong
  1  a warning
  2  something critical
  3  it could not be checked

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; a role that may read it is enough
  thresholds, trading hours and rules of your own: docs/operations.md
  all of them: docs/configuration.md`

async function check(command: Command): Promise<void> {
  const { config } = configure(command)
  const { json, all = false, quiet = false } = command.opts<{ json?: true; all?: true; quiet?: true }>()
  const rules = userRules()
  const thresholds = thresholdsOf(config)
  const { observation, signals } = await lookForSignals(config, observerOf(config, thresholds), rules)()
  const own = healthyOwnRules(
    rules.map(({ name }) => name),
    signals,
  )
  const checked = { signals, healthy: [...healthyItems(observation, thresholds), ...own] }
  const report = checkReport(checked, { nowMs: Date.now(), runbookBaseUrl: config.alertRunbookBaseUrl })
  const shown = { isAll: all, isQuiet: quiet }
  const text = json ? checkJson(report, shown) : checkText(report, shown)
  // A host that drops packets would hold up the end of the process for as long as a connection is tried.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  process.exit(report.exitCode)
}
