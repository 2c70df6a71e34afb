import { loadConfig } from '../../config/load.ts'
import type { Logger } from '../../log.ts'
import { postgresOptions, withClient } from '../../store/connection.ts'
import { findKcat } from './kcat.ts'
import { latencySeries, measureLatency } from './latency.ts'
import { machineOf } from './machine.ts'
import type { Plan } from './plan.ts'
import { type BenchReport, format } from './saved-report.ts'
import { type BenchServers, startServers } from './servers.ts'
import { measureThroughput, throughputSeries } from './throughput.ts'
import { measureTuning, tuningSeries } from './tuning.ts'

/** Measures all of a plan, on servers that live as long as that takes. */
export async function measurePlan(plan: Plan, log: Logger): Promise<BenchReport> {
  const startedAt = new Date().toISOString()
  const servers = await startServers(log)
  try {
    const machine = machineOf(await postgresVersion(servers))
    const kcat = plan.throughput ? findKcat() : undefined
    const shared = { servers, log }
    const throughput = plan.throughput ? await measureThroughput({ ...shared, plan: plan.throughput, kcat }) : undefined
    const latency = plan.latency ? await measureLatency({ ...shared, plan: plan.latency }) : undefined
    const tuning = plan.tuning ? await measureTuning({ ...shared, plan: plan.tuning }) : undefined
    return {
      format,
      startedAt,
      machine,
      ...(kcat ? { librdkafka: kcat.version } : {}),
      plan,
      ...(throughput ? { throughput } : {}),
      ...(latency ? { latency } : {}),
      ...(tuning ? { tuning } : {}),
      series: [
        ...(throughput ? throughputSeries(throughput) : []),
        ...(latency ? latencySeries(latency) : []),
        ...(tuning ? tuningSeries(tuning) : []),
      ],
      problems: [throughput, latency, tuning].flatMap((part) => part?.problems ?? []),
    }
  } finally {
    await servers.stop()
  }
}

async function postgresVersion(servers: BenchServers): Promise<string> {
  const env = servers.environment({ topic: 'none', name: 'postgres' }, 'owner')
  const options = postgresOptions(loadConfig({ env }))
  const { rows } = await withClient(options, (client) =>
    client.query<{ server_version: string }>('SHOW server_version'),
  )
  return rows[0]?.server_version ?? 'unknown'
}
