import type { PipelineMetric, Sample } from '../../metrics/pipeline-metrics.ts'
import type { Measure } from '../../observe/measures.ts'

type Labels = Readonly<Record<string, string>>

/** Returns no sample if the value is unknown. */
export function sample(metric: PipelineMetric, value: number | null | undefined, labels: Labels = {}): Sample[] {
  return value === null || value === undefined ? [] : [{ metric, labels, value }]
}

/** A sample of a time, converted from milliseconds to seconds as usual in Prometheus. */
export function instant(metric: PipelineMetric, ms: number | null | undefined, labels: Labels = {}): Sample[] {
  return sample(metric, ms === null || ms === undefined ? null : ms / 1000, labels)
}

/** @param per - Divisor of the value: 100 converts a percentage to a ratio. */
export function measured(metric: PipelineMetric, measure: Measure, per = 1): Sample[] {
  return sample(metric, measure.state === 'ok' ? measure.value / per : null)
}
