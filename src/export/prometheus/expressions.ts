// Building blocks of PromQL. Every vector has the label `job`, which identifies the pipeline, and the given labels. If
// several evaluators observe one pipeline, their largest value counts.
import type { PipelineMetric } from '../../metrics/pipeline-metrics.ts'
import type { RuleName } from '../../observe/finding.ts'

/** A vector by job and the given labels. */
export function each(metric: PipelineMetric, labels: readonly string[] = [], selector = ''): string {
  return largest(`${metric}${selector}`, labels)
}

function largest(vector: string, labels: readonly string[] = []): string {
  return `max by (${['job', ...labels].join(', ')}) (${vector})`
}

/** The vector of `each`, as it was `seconds` ago. */
export function ago(metric: PipelineMetric, seconds: number, labels: readonly string[] = []): string {
  return largest(`${metric} offset ${seconds}s`, labels)
}

type OverTime = 'min_over_time' | 'max_over_time' | 'resets' | 'rate'

/** A function over the samples of the last `seconds`. */
export function over(how: OverTime, metric: PipelineMetric, seconds: number, labels: readonly string[] = []): string {
  return largest(`${how}(${metric}[${seconds}s])`, labels)
}

/**
 * The time of the observation. Ages are calculated relative to it, not to Prometheus' clock or the time of the scrape.
 */
export const lookedAt = each('market_kpi_observation_timestamp_seconds')

/** Seconds since a time. */
export function age(metric: PipelineMetric): string {
  return `${lookedAt} - ${each(metric)}`
}

/** Seconds since a time, for each value of a label. */
export function ageOfEach(metric: PipelineMetric, label: string, selector = ''): string {
  return `(${lookedAt} - on (job) group_right () ${each(metric, [label], selector)})`
}

export function down(component: string): string {
  return `${each('market_kpi_up', [], `{component="${component}"}`)} == 0`
}

/** True if no evaluator can evaluate the rule. */
export function unjudged(rule: RuleName): string {
  return `min by (job) (market_kpi_rule_unknown{rule="${rule}"}) == 1`
}

/** Converts a percentage to a ratio: 12.5 to 0.125. */
export function ratio(percent: number): number {
  return Number((percent / 100).toPrecision(12))
}
