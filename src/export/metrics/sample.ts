import type { PipelineMetric, Sample } from '../../metrics/pipeline-metrics.ts'
import type { Measure } from '../../observe/measures.ts'

type Labels = Readonly<Record<string, string>>

/** None for a value that is not known. */
export function sample(metric: PipelineMetric, value: number | null | undefined, labels: Labels = {}): Sample[] {
  return value === null || value === undefined ? [] : [{ metric, labels, value }]
}

/** An instant as Prometheus has it, in seconds. */
export function instant(metric: PipelineMetric, ms: number | null | undefined, labels: Labels = {}): Sample[] {
  return sample(metric, ms === null || ms === undefined ? null : ms / 1000, labels)
}

/** @param per - 100 makes a ratio of a percentage. */
export function measured(metric: PipelineMetric, measure: Measure, per = 1): Sample[] {
  return sample(metric, measure.state === 'ok' ? measure.value / per : null)
}
