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

export function measured(metric: PipelineMetric, measure: Measure, scale = 1): Sample[] {
  return sample(metric, measure.state === 'ok' ? measure.value * scale : null)
}
