import { type Command, Option } from 'commander'
import { timingsAt } from '../../alerts/alert-rules.ts'
import { guidance } from '../../alerts/build-notification.ts'
import { thresholdsOf } from '../../config/thresholds.ts'
import { inhibitFile } from '../../export/prometheus/inhibit-rules.ts'
import { rulesFile } from '../../export/prometheus/rules-file.ts'
import { configure, withErrors } from '../command.ts'
import { ageOption } from '../options/time-option.ts'

export function registerPrometheusRules(command: Command): void {
  command
    .addOption(
      new Option('--interval <time>', 'evaluation interval, like that of alerts watch')
        .argParser(ageOption)
        .default(15_000, '15s'),
    )
    .option('--inhibit', 'print inhibit_rules for Alertmanager instead, so that causes suppress their symptoms')
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => printRules(self)))
}

const help = `
Prometheus 2.42 or newer. It must scrape an alert evaluator (alerts watch, or up), with one job per pipeline.
Your own rules in market-kpi.yaml are not exported; alerts watch evaluates them.

Environment:
  thresholds                docs/configuration.md
  ALERT_RUNBOOK_BASE_URL    address at which docs/alerts/ is served, for links

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
