import { expect, it } from 'vitest'
import { ownMetrics } from '../../../src/metrics/own-metrics.ts'

it('tells of what is measured and of the process, without what only a sampler that wakes it would know', async () => {
  const gauges = { market_kpi_answer: ['What was measured.', (value: number) => value] as const }
  const text = await ownMetrics({ counters: {}, gauges }, () => 42).metrics()
  expect(text).toContain('market_kpi_answer 42\n')
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds', 'nodejs_heap_size_used_bytes']) {
    expect(text).toMatch(new RegExp(`^${name} `, 'm'))
  }
  expect(text).not.toContain('nodejs_eventloop_lag_p99')
})
