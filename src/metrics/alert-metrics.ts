import { type Measure, ownMetrics } from './own-metrics.ts'

/** The values of an alert evaluator's metrics. */
export interface AlertMeasures {
  readonly evaluations: number
  readonly delivered: number
  readonly undeliverable: number
  readonly leads: boolean
  readonly hasDatabase: boolean
  /** Wall clock; null before the first evaluation. */
  readonly lastEvaluationAtMs: number | null
  readonly firing: { readonly info: number; readonly warning: number; readonly critical: number }
}

/** Name and meaning of each metric; docs/metrics.md lists them. */
export const alertCounters = {
  market_kpi_alerts_evaluations_total: ['Evaluations of all alert rules.', (m) => m.evaluations],
  market_kpi_alerts_notifications_delivered_total: ['Notifications that a receiver accepted.', (m) => m.delivered],
  market_kpi_alerts_notifications_failed_total: [
    'Notifications that a receiver refused, or did not accept within a day.',
    (m) => m.undeliverable,
  ],
} as const satisfies Record<string, Measure<AlertMeasures>>

export const alertGauges = {
  market_kpi_alerts_leader: ['1 in the evaluator that sends notifications, 0 in the others.', (m) => Number(m.leads)],
  market_kpi_alerts_database_up: ['1 while alerts can be stored in the database.', (m) => Number(m.hasDatabase)],
  market_kpi_alerts_last_evaluation_timestamp_seconds: [
    'Time of the last evaluation, 0 before the first one.',
    (m) => (m.lastEvaluationAtMs ?? 0) / 1000,
  ],
  market_kpi_alerts_firing_info: ['Firing alerts that are information.', (m) => m.firing.info],
  market_kpi_alerts_firing_warning: ['Firing alerts that are warnings.', (m) => m.firing.warning],
  market_kpi_alerts_firing_critical: ['Firing alerts that are critical.', (m) => m.firing.critical],
} as const satisfies Record<string, Measure<AlertMeasures>>

/** @returns A function that renders the current metrics of the evaluator and of its process. */
export function alertMetrics(measure: () => AlertMeasures): () => Promise<string> {
  const register = ownMetrics({ counters: alertCounters, gauges: alertGauges }, measure)
  return () => register.metrics()
}
