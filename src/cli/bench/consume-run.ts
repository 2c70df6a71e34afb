import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isReadyMessage } from '../../embedded/ready-signal.ts'
import { KpiError } from '../../errors.ts'
import { pause } from '../../kafka/backoff.ts'
import type { Database } from '../../store/connection.ts'
import { cliEntry } from '../entry.ts'

/** What one worker took for a topic that was full before it started. */
export interface ConsumeRun {
  /** From the first records in the worker's hands to the last commit, by the worker's own clock. */
  readonly seconds: number
  /** From the start of the process to the last commit. */
  readonly wholeSeconds: number
  readonly messages: number
  readonly batches: number
  readonly rows: number
  /** Of the worker's process, in all. */
  readonly cpuSeconds: number
  readonly peakMemoryMb: number
}

/** What `/health` says of the worker itself. */
interface WorkerPart {
  readonly merged: number
  readonly batches: number
  readonly rows: number
  readonly firstRecordsAtMs: number
  readonly lastCommitAtMs: number
}

const lookIntervalMs = 50

/**
 * Runs `market-kpi consume` until everything in the topic is committed.
 *
 * @throws KpiError `KPI_CHILD_FAILED` when the worker ends before that.
 */
export async function runConsume(options: {
  env: Record<string, string>
  database: Database
  messages: number
}): Promise<ConsumeRun> {
  const { env, database, messages } = options
  const startedAtMs = Date.now()
  const worker = spawn(
    process.execPath,
    [...process.execArgv, cliEntry, 'consume', '--http-port', '0', '--log-level', 'warn'],
    {
      env: { ...process.env, ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  const url = Promise.withResolvers<string>()
  let ended = false
  worker.on('message', (message) => {
    if (isReadyMessage(message)) url.resolve(message.http ?? '')
  })
  worker.once('exit', (code, signal) => {
    ended = true
    url.reject(new KpiError('KPI_CHILD_FAILED', `the worker ended with ${signal ?? code}`))
  })
  try {
    const http = await url.promise
    while ((await committed(database)) < messages) {
      if (ended) throw new KpiError('KPI_CHILD_FAILED', 'the worker ended before all was committed')
      await pause(lookIntervalMs)
    }
    const { worker: health } = (await (await fetch(`${http}/health`)).json()) as { worker: WorkerPart }
    return {
      seconds: (health.lastCommitAtMs - health.firstRecordsAtMs) / 1000,
      wholeSeconds: (health.lastCommitAtMs - startedAtMs) / 1000,
      messages: health.merged,
      batches: health.batches,
      rows: health.rows,
      ...processFigures(worker.pid ?? 0),
    }
  } finally {
    worker.kill('SIGTERM')
    if (!ended) await new Promise((resolve) => worker.once('exit', resolve))
  }
}

async function committed(database: Database): Promise<number> {
  const [row] = await database.query<{ merged: number }>({
    text: 'SELECT coalesce(sum(merged + rejected), 0)::bigint AS merged FROM kpi_consumer_offsets',
  })
  return row?.merged ?? 0
}

const clockTicksPerSecond = 100

/** From /proc; NaN where there is none. */
function processFigures(pid: number): { cpuSeconds: number; peakMemoryMb: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond,
      peakMemoryMb: Number(peak) / 1024,
    }
  } catch {
    return { cpuSeconds: Number.NaN, peakMemoryMb: Number.NaN }
  }
}
