import { type Measure, ownMetrics } from './own-metrics.ts'

/** The values of the metrics of a prune that runs periodically. */
export interface PruneMeasures {
  readonly rows: number
  readonly letters: number
  readonly rounds: number
  readonly failures: number
  /** Wall clock; null before the first successful round. */
  readonly lastSuccessAtMs: number | null
  readonly isReady: boolean
}

/** Name and meaning of each metric; docs/metrics.md lists them. */
export const pruneCounters = {
  market_kpi_prune_rows_deleted_total: ['Rows deleted.', (m) => m.rows],
  market_kpi_prune_letters_deleted_total: ['Rejected messages deleted.', (m) => m.letters],
  market_kpi_prune_rounds_total: ['Finished rounds, including failed ones.', (m) => m.rounds],
  market_kpi_prune_failures_total: ['Rounds that failed.', (m) => m.failures],
} as const satisfies Record<string, Measure<PruneMeasures>>

export const pruneGauges = {
  market_kpi_prune_ready: [
    '1 if the last round succeeded, 0 if it failed or none has finished.',
    (m) => Number(m.isReady),
  ],
  market_kpi_prune_last_success_timestamp_seconds: [
    'When a round last succeeded, 0 before the first one.',
    (m) => (m.lastSuccessAtMs ?? 0) / 1000,
  ],
} as const satisfies Record<string, Measure<PruneMeasures>>

/** @returns A function that renders the current metrics of the prune and of its process. */
export function pruneMetrics(measure: () => PruneMeasures): () => Promise<string> {
  const register = ownMetrics({ counters: pruneCounters, gauges: pruneGauges }, measure)
  return () => register.metrics()
}
