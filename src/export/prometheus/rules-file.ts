import { stringify } from 'yaml'
import { type RuleName, ruleNames } from '../../observe/finding.ts'
import { type AlertingRule, type AlertingRules, critical, type RuleSource, warning } from './alerting-rule.ts'
import { each } from './expressions.ts'
import { consumerRules } from './rules/consumers.ts'
import { dataRules } from './rules/data.ts'
import { serverRules } from './rules/servers.ts'

export interface RulesFileOptions extends RuleSource {
  /**
   * How long a finding must last before the alert fires, and be absent before it resolves; the same as in `alerts
   * watch`.
   */
  readonly timingOf: (rule: string) => { readonly forMs: number; readonly keepFiringForMs: number }
  /** The annotations that point to the runbook page. */
  readonly guidance: (rule: string) => Readonly<Record<string, string>>
}

/** How late an observation may be, or the first scrape after a start of Prometheus. */
const lateSeconds = 30

/** The type requires a counterpart for every rule of the pipeline. */
const pipelineRules: AlertingRules<RuleName> = { ...serverRules, ...consumerRules, ...dataRules }

/** The Prometheus alerting rules for all rules of the pipeline, and for the alerting itself. */
export function alertingRules(source: RuleSource): AlertingRule[] {
  return [...ruleNames.flatMap((name) => pipelineRules[name](source)), ...ownRules(source)]
}

/** Rules about the alerting itself: without an evaluator no rule of the pipeline can fire. */
function ownRules({ intervalSeconds }: RuleSource): AlertingRule[] {
  const metric = 'market_kpi_observation_timestamp_seconds'
  return [
    critical('EvaluatorSilent', {
      expr: `absent(${metric}) or time() - ${each(metric)} > ${2 * intervalSeconds}`,
      forSeconds: lateSeconds,
      summary: 'no evaluator observes the pipeline, so no other rule here can fire',
    }),
    warning('NotifierFailing', {
      expr: 'sum by (job) (increase(market_kpi_alerts_notifications_failed_total[15m])) > 0',
      summary: 'a receiver of market-kpi refused notifications, or could not be reached for a day',
    }),
    {
      alert: 'Watchdog',
      severity: 'info',
      expr: 'vector(1)',
      summary: 'always fires: whoever receives it knows that alerts arrive',
    },
  ]
}

/** Runbook pages of rules that exist only for Prometheus; the others have the page of the same name. */
const pageOf: Readonly<Record<string, string>> = { EvaluatorSilent: 'Watchdog' }

/** A rules file for Prometheus 2.42 or newer, since it uses `keep_firing_for`. */
export function rulesFile(options: RulesFileOptions): string {
  const rules = alertingRules(options).map((rule) => {
    const { forMs: usualMs, keepFiringForMs } = options.timingOf(rule.alert)
    const forMs = rule.forSeconds === undefined ? usualMs : rule.forSeconds * 1000
    return {
      alert: rule.alert,
      expr: rule.expr,
      ...(forMs > 0 ? { for: duration(forMs) } : {}),
      ...(keepFiringForMs > 0 ? { keep_firing_for: duration(keepFiringForMs) } : {}),
      labels: { severity: rule.severity, ...rule.labels },
      annotations: { summary: rule.summary, ...options.guidance(pageOf[rule.alert] ?? rule.alert) },
    }
  })
  const groups = [{ name: 'market-kpi', interval: `${options.intervalSeconds}s`, rules }]
  return `# Written by 'market-kpi export prometheus-rules' from the thresholds of its configuration.\n${stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

function duration(ms: number): string {
  return `${Math.round(ms / 1000)}s`
}
