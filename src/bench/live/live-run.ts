import { KpiError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { pause } from '../../runtime/abort.ts'
import { treeCpuSeconds } from '../cpu.ts'
import { startJob } from '../job.ts'
import { openScene, type Scene } from '../scene.ts'
import type { BenchServers } from '../servers.ts'
import type { ExactRows } from '../throughput/exact-rows.ts'
import { WorkerProcess } from '../worker-process.ts'
import { type LatencyFigures, latenciesOf, latencyFigures } from './latencies.ts'
import { monotonicMs } from './monotonic.ts'
import type { PacedSendBegun, PacedSendJob, PacedSendResult } from './paced-send-main.ts'
import { VisiblePositions } from './visible-positions.ts'

/** The result of a worker that got prices at a steady rate. */
export interface LiveRun {
  readonly latency: LatencyFigures
  /** Share of a CPU core during the measurement. */
  readonly workerCpu: number
  readonly postgresCpu: number
  /** Commits per second over the whole run. */
  readonly commitsPerSecond: number
  readonly peakMemoryMb: number
  /** The largest delay of the sender after the warm-up. */
  readonly latestHandOverMs: number
}

export interface LiveLoad {
  /** The name of the topic, the group and the database. */
  readonly name: string
  readonly settings: Readonly<Record<string, string>>
  readonly ratePerSecond: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly partitions: number
}

const symbols = 50
/** If the last messages take longer than this, the run fails. */
const patienceMs = 60_000
const checkIntervalMs = 20

/** @returns The figures, and what was wrong with the rows, if anything. */
export async function runLive(
  load: LiveLoad,
  parts: { servers: BenchServers; exact: ExactRows; log: Logger },
): Promise<{ run: LiveRun; problem: string | undefined }> {
  const { servers, exact, log } = parts
  const { name, partitions, settings } = load
  const scene = await openScene(servers, { topic: name, name, partitions, settings }, log)
  try {
    const run = await measure(load, scene)
    const problem = await exact.problemOf(scene, countOf(load))
    return { run, problem }
  } finally {
    await scene.close()
  }
}

function countOf({ ratePerSecond, seconds, warmUpSeconds }: LiveLoad): number {
  return Math.round(ratePerSecond * (seconds + warmUpSeconds))
}

async function measure(load: LiveLoad, scene: Scene): Promise<LiveRun> {
  const { ratePerSecond, seconds, warmUpSeconds } = load
  const worker = await WorkerProcess.start(scene.env)
  const positions = new VisiblePositions(scene.database)
  try {
    while ((await worker.partitions()) === 0) await pause(checkIntervalMs)
    positions.start()
    const skipped = Math.round(ratePerSecond * warmUpSeconds)
    const job: PacedSendJob = { env: scene.env, ratePerSecond, count: countOf(load), symbols, skipped }
    const { begun, result: sending } = startJob<PacedSendBegun, PacedSendResult>('live/paced-send-main', job)
    const { startAtMs } = await begun
    const cpu = () => ({ worker: worker.figures.cpuSeconds, postgres: treeCpuSeconds(scene.postgresPid) })
    const warmAtMs = startAtMs + warmUpSeconds * 1000
    await Promise.race([pauseUntil(warmAtMs), sending])
    const before = { ...cpu(), atMs: monotonicMs() }
    await Promise.race([pauseUntil(warmAtMs + seconds * 1000), sending])
    const after = { ...cpu(), atMs: monotonicMs() }
    const { numbers, latestHandOverMs } = await sending
    await untilVisible(positions, countOf(load), worker)
    const lastAtMs = positions.sightings.at(-1)?.atMs ?? Number.NaN
    const measuredSeconds = (after.atMs - before.atMs) / 1000
    return {
      latency: latencyFigures(latenciesOf(numbers, positions.sightings, { startAtMs, ratePerSecond, skipped })),
      workerCpu: (after.worker - before.worker) / measuredSeconds,
      postgresCpu: (after.postgres - before.postgres) / measuredSeconds,
      commitsPerSecond: (await worker.health()).batches / ((lastAtMs - startAtMs) / 1000),
      peakMemoryMb: worker.figures.peakMemoryMb,
      latestHandOverMs,
    }
  } finally {
    await positions.stop()
    await worker.stop()
  }
}

function pauseUntil(atMs: number): Promise<void> {
  return pause(Math.max(0, atMs - monotonicMs()))
}

async function untilVisible(positions: VisiblePositions, count: number, worker: WorkerProcess): Promise<void> {
  const until = monotonicMs() + patienceMs
  while (positions.total < count) {
    worker.assertAlive()
    if (monotonicMs() > until) {
      const what = `${count - positions.total} of ${count} messages are in no row after ${patienceMs / 1000} s`
      throw new KpiError('KPI_CHILD_FAILED', what)
    }
    await pause(checkIntervalMs)
  }
}
