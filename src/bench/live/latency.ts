import type { Logger } from '../../log.ts'
import type { LatencyPlan } from '../plan.ts'
import { latencyNoise, type Series } from '../report/series.ts'
import type { BenchServers } from '../servers.ts'
import { ExactRows } from '../throughput/exact-rows.ts'
import { type LiveRun, runLive } from './live-run.ts'

/** One rate and one batch wait, with the result of each run. */
export interface LatencyCase {
  readonly ratePerSecond: number
  readonly waitMs: number
  readonly runs: LiveRun[]
}

export interface LatencyReport {
  readonly cases: readonly LatencyCase[]
  readonly problems: string[]
}

/**
 * Measures the time from when a message was due until its row could be read, for every combination of rate and batch
 * wait. Each round has all of them.
 */
export async function measureLatency(parts: {
  plan: LatencyPlan
  servers: BenchServers
  log: Logger
}): Promise<LatencyReport> {
  const { plan, log } = parts
  const exact = new ExactRows()
  const problems: string[] = []
  const cases: LatencyCase[] = plan.rates.flatMap((ratePerSecond) =>
    plan.waitsMs.map((waitMs) => ({ ratePerSecond, waitMs, runs: [] })),
  )
  for (let round = 1; round <= plan.runs; round++) {
    for (const one of cases) {
      const { ratePerSecond, waitMs } = one
      const name = `live-${ratePerSecond}-${waitMs}-${round}`
      const { seconds, warmUpSeconds, partitions } = plan
      const load = { name, ratePerSecond, seconds, warmUpSeconds, partitions, settings: { BATCH_WAIT_MS: `${waitMs}` } }
      const { run, problem } = await runLive(load, { ...parts, exact })
      one.runs.push(run)
      const { p50, p99, p999, max } = run.latency
      const told = [p50, p99, p999, max].map((ms) => ms.toFixed(0)).join(', ')
      log.info(`round ${round}: ${ratePerSecond} messages/s, wait ${waitMs} ms: p50, p99, p99.9 and most ${told} ms`)
      if (problem !== undefined) problems.push(`${name}: ${problem}`)
    }
  }
  return { cases, problems }
}

export function latencySeries({ cases }: LatencyReport): Series[] {
  return cases.map(({ ratePerSecond, waitMs, runs }) => ({
    name: `latency p99 at ${ratePerSecond} messages/s, wait ${waitMs} ms`,
    unit: 'ms',
    better: 'lower',
    values: runs.map(({ latency }) => latency.p99),
    noise: latencyNoise,
  }))
}
