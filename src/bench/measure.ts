import type { Logger } from '../log.ts'
import { databaseSeries, measureDatabase } from './database/run.ts'
import { latencySeries, measureLatency } from './live/latency.ts'
import { machineOf, postgresVersion } from './machine.ts'
import type { Plan } from './plan.ts'
import { Progress, stepLog, stepsOf } from './progress.ts'
import { type BenchReport, format } from './report/saved-report.ts'
import { startServers } from './servers.ts'
import { measureStartUp, startUpSeries } from './start-up/start-up.ts'
import { findKcat } from './throughput/kcat.ts'
import { measureThroughput, throughputSeries } from './throughput/throughput.ts'
import { measureTuning, tuningSeries } from './tuning/tuning.ts'

/** Measures everything in a plan, on servers that run only for this time. */
export async function measurePlan(plan: Plan, log: Logger): Promise<BenchReport> {
  const progress = new Progress(log, stepsOf(plan))
  const names = Object.entries(plan).flatMap(([name, part]) => (part ? [name] : []))
  progress.start(`measuring ${names.join(', ')}`)
  try {
    return await measureParts(plan, log, progress)
  } finally {
    progress.stop()
  }
}

async function measureParts(plan: Plan, log: Logger, progress: Progress): Promise<BenchReport> {
  const startedAt = new Date().toISOString()
  const { throughput, latency, tuning, startUp } = plan
  const piped =
    throughput || latency || tuning || startUp
      ? await measurePiped({ throughput, latency, tuning, startUp }, log, progress)
      : undefined
  const database = plan.database
    ? await measureDatabase({ plan: plan.database, log: stepLog(progress, log) })
    : undefined
  const { postgres, ...parts } = piped ?? { postgres: database?.postgres ?? 'none', series: [], problems: [] }
  return {
    format,
    startedAt,
    machine: machineOf(postgres),
    plan,
    ...parts,
    ...(database ? { database } : {}),
    series: [...parts.series, ...(database ? databaseSeries(database) : [])],
    problems: [...parts.problems, ...(database?.problems ?? [])],
  }
}

/** The parts that need a broker and a database. */
async function measurePiped(plan: Plan, log: Logger, progress: Progress) {
  const servers = await startServers(log)
  try {
    const postgres = await postgresVersion(servers.postgres)
    const kcat = plan.throughput ? findKcat() : undefined
    progress.step('a broker and a database run')
    const shared = { servers, log: stepLog(progress, log) }
    const throughput = plan.throughput ? await measureThroughput({ ...shared, plan: plan.throughput, kcat }) : undefined
    const latency = plan.latency ? await measureLatency({ ...shared, plan: plan.latency }) : undefined
    const tuning = plan.tuning ? await measureTuning({ ...shared, plan: plan.tuning }) : undefined
    const startUp = plan.startUp ? await measureStartUp({ ...shared, plan: plan.startUp }) : undefined
    return {
      postgres,
      ...(kcat ? { librdkafka: kcat.version } : {}),
      ...(throughput ? { throughput } : {}),
      ...(latency ? { latency } : {}),
      ...(tuning ? { tuning } : {}),
      ...(startUp ? { startUp } : {}),
      series: [
        ...(throughput ? throughputSeries(throughput) : []),
        ...(latency ? latencySeries(latency) : []),
        ...(tuning ? tuningSeries(tuning) : []),
        ...(startUp ? startUpSeries(startUp) : []),
      ],
      problems: [throughput, latency, tuning].flatMap((part) => part?.problems ?? []),
    }
  } finally {
    await servers.stop()
  }
}
