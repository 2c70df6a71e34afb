// Building blocks of PromQL. Every vector they make has the label `job`, which tells pipelines apart, and those it asks for:
// several evaluators may watch one pipeline, and of what they say the largest value counts.
import type { PipelineMetric } from '../../metrics/pipeline-metrics.ts'
import type { RuleName } from '../../observe/finding.ts'

/** A vector by job, and by the labels named. */
export function each(metric: PipelineMetric, labels: readonly string[] = [], selector = ''): string {
  return largest(`${metric}${selector}`, labels)
}

function largest(vector: string, labels: readonly string[] = []): string {
  return `max by (${['job', ...labels].join(', ')}) (${vector})`
}

/** The same, so many seconds ago. */
export function ago(metric: PipelineMetric, seconds: number, labels: readonly string[] = []): string {
  return largest(`${metric} offset ${seconds}s`, labels)
}

type OverTime = 'min_over_time' | 'max_over_time' | 'resets' | 'rate'

/** A function over the samples of so many seconds. */
export function over(how: OverTime, metric: PipelineMetric, seconds: number, labels: readonly string[] = []): string {
  return largest(`${how}(${metric}[${seconds}s])`, labels)
}

/** When the pipeline was looked at: ages are reckoned from there, not from Prometheus' clock or its next scrape. */
export const lookedAt = each('market_kpi_observation_timestamp_seconds')

/** Seconds since an instant. */
export function age(metric: PipelineMetric): string {
  return `${lookedAt} - ${each(metric)}`
}

/** Seconds since the instants of one label each. */
export function ageOfEach(metric: PipelineMetric, label: string, selector = ''): string {
  return `(${lookedAt} - on (job) group_right () ${each(metric, [label], selector)})`
}

export function down(component: string): string {
  return `${each('market_kpi_up', [], `{component="${component}"}`)} == 0`
}

/** No evaluator can judge the rule. */
export function unjudged(rule: RuleName): string {
  return `min by (job) (market_kpi_rule_unknown{rule="${rule}"}) == 1`
}

/** As Prometheus writes it: 12.5 percent as 0.125. */
export function ratio(percent: number): number {
  return Number((percent / 100).toPrecision(12))
}
