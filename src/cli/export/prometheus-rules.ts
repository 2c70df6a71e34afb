import { type Command, Option } from 'commander'
import { timingsAt } from '../../alerts/alert-rules.ts'
import { guidance } from '../../alerts/build-notification.ts'
import { thresholdsOf } from '../../config/thresholds.ts'
import { inhibitFile } from '../../export/prometheus/inhibit-rules.ts'
import { rulesFile } from '../../export/prometheus/rules-file.ts'
import { configure, withErrors } from '../command.ts'
import { ageOption } from '../options/time-option.ts'

export function registerPrometheusRules(parent: Command): void {
  parent
    .command('prometheus-rules')
    .description('alerting rules for Prometheus, from the thresholds of the configuration')
    .addOption(
      new Option('--interval <time>', 'from one evaluation to the next, as of alerts watch')
        .argParser(ageOption)
        .default(15_000, '15s'),
    )
    .option('--inhibit', 'print inhibit_rules for Alertmanager instead, so that causes mute what follows from them')
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => printRules(self)))
}

const help = `
Prometheus 2.42 or newer. It has to scrape an alert evaluator (alerts watch, or up), one job a pipeline.
Rules of your own in market-kpi.yaml stay with alerts watch.

Environment:
  thresholds                docs/configuration.md
  ALERT_RUNBOOK_BASE_URL    where docs/alerts/ can be read, for the links

  market-kpi export prometheus-rules > /etc/prometheus/market-kpi.rules.yml`

async function printRules(command: Command): Promise<void> {
  const { config } = configure(command)
  const { interval, inhibit } = command.opts<{ interval: number; inhibit?: true }>()
  const text = inhibit
    ? inhibitFile()
    : rulesFile({
        thresholds: thresholdsOf(config),
        intervalSeconds: Math.max(1, Math.round(interval / 1000)),
        timingOf: timingsAt(interval, new Map()),
        guidance: (rule) => {
          const { runbookUrl, explainCommand } = guidance(rule, config.alertRunbookBaseUrl)
          return { ...(runbookUrl === null ? {} : { runbook_url: runbookUrl }), what_to_do: explainCommand }
        },
      })
  process.stdout.write(text)
}
