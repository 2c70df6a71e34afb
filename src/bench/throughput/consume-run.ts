import { pause } from '../../runtime/abort.ts'
import type { Database } from '../../store/client/connection.ts'
import { treeCpuSeconds } from '../cpu.ts'
import type { Scene } from '../scene.ts'
import { type WorkerPart, WorkerProcess } from '../worker-process.ts'

/** How long workers took for a topic that was filled before they started. */
export interface ConsumeRun {
  /** From the first records that a worker received to the last commit, according to the workers' clocks. */
  readonly seconds: number
  /** From the start of the processes to the last commit. */
  readonly wholeSeconds: number
  readonly messages: number
  readonly batches: number
  readonly rows: number
  /** Sum over all worker processes. */
  readonly cpuSeconds: number
  /** Of the worker that used the most memory. */
  readonly peakMemoryMb: number
  /** Of all PostgreSQL processes. */
  readonly postgresCpuSeconds: number
}

const checkIntervalMs = 50

/**
 * Runs `market-kpi consume` until everything in the topic is committed.
 *
 * @throws KpiError `KPI_CHILD_FAILED` when a worker ends before that.
 */
export async function runConsume(scene: Scene, options: { messages: number; workers: number }): Promise<ConsumeRun> {
  const { database, postgresPid, env } = scene
  const { messages, workers: count } = options
  const startedAtMs = Date.now()
  const postgresBefore = treeCpuSeconds(postgresPid)
  const workers: WorkerProcess[] = []
  try {
    const start = async () => {
      const starts = Array.from({ length: count }, async () => workers.push(await WorkerProcess.start(env)))
      await Promise.all(starts)
    }
    await (count > 1 ? startTogether(database, workers, start) : start())
    while ((await committed(database)) < messages) {
      for (const worker of workers) worker.assertAlive()
      await pause(checkIntervalMs)
    }
    const postgresCpuSeconds = treeCpuSeconds(postgresPid) - postgresBefore
    const figures = workers.map((worker) => worker.figures)
    const parts = await Promise.all(workers.map((worker) => worker.health()))
    return {
      ...timesOf(parts, startedAtMs),
      messages: sum(parts.map(({ merged }) => merged)),
      batches: sum(parts.map(({ batches }) => batches)),
      rows: sum(parts.map(({ rows }) => rows)),
      cpuSeconds: sum(figures.map(({ cpuSeconds }) => cpuSeconds)),
      peakMemoryMb: Math.max(...figures.map(({ peakMemoryMb }) => peakMemoryMb)),
      postgresCpuSeconds,
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}

/**
 * Lets several workers start at the same time. They would share the partitions only seconds after the first one
 * started, and by then it would have finished. A lock on the positions, which each worker reads before its first
 * message, blocks them all until every worker has a partition.
 */
async function startTogether(
  database: Database,
  workers: readonly WorkerProcess[],
  start: () => Promise<void>,
): Promise<void> {
  await database.transaction(async (client) => {
    await client.query('LOCK TABLE kpi_consumer_offsets IN ACCESS EXCLUSIVE MODE')
    await start()
    for (const worker of workers) while ((await worker.partitions()) === 0) await pause(checkIntervalMs)
  })
}

function timesOf(parts: readonly WorkerPart[], startedAtMs: number): { seconds: number; wholeSeconds: number } {
  const firstMs = Math.min(...parts.map(({ firstRecordsAtMs }) => firstRecordsAtMs ?? Number.POSITIVE_INFINITY))
  const lastMs = Math.max(...parts.map(({ lastCommitAtMs }) => lastCommitAtMs ?? 0))
  return { seconds: (lastMs - firstMs) / 1000, wholeSeconds: (lastMs - startedAtMs) / 1000 }
}

/** Messages committed so far. */
async function committed(database: Database): Promise<number> {
  const [row] = await database.query<{ merged: number }>({
    text: 'SELECT coalesce(sum(merged + rejected), 0)::bigint AS merged FROM kpi_consumer_offsets',
  })
  return row?.merged ?? 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
