import type { Command } from 'commander'
import { checkJson, checkReport, checkText } from '../../alerts/check-report.ts'
import { thresholdsOf } from '../../config/thresholds.ts'
import { addSettingOptions, configure, withErrors } from '../command.ts'
import { observerOf } from '../observer-of.ts'
import { lookForSignals, userRules } from './signals.ts'

export function registerCheck(parent: Command): void {
  const command = parent
    .command('check')
    .description('look once, and print what is wrong')
    .option('--json', 'print an array')
    .option('--all', 'also what another alert explains, and what cannot be told')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => check(self), 'check'))
}

const help = `
It needs no evaluator, tells nobody and minds no silence. What takes time to know, such as whether a lag grows,
one look cannot tell.

Exit codes:
  0  nothing but information
  1  a warning
  2  something critical
  3  it could not be found out

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; a role that may read it is enough
  thresholds, trading hours and rules of your own: docs/operations.md
  all of them: docs/configuration.md`

async function check(command: Command): Promise<void> {
  const { config } = configure(command)
  const { json, all = false } = command.opts<{ json?: true; all?: true }>()
  const rules = userRules()
  const signals = await lookForSignals(config, observerOf(config, thresholdsOf(config)), rules)()
  const report = checkReport(signals, { nowMs: Date.now(), runbookBaseUrl: config.alertRunbookBaseUrl })
  const text = json ? checkJson(report, all) : checkText(report, all)
  // A host that drops packets would hold up the end of the process for as long as a connection is tried.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  process.exit(report.exitCode)
}
