import { type ChildProcess, spawn } from 'node:child_process'
import { nodeFlags } from '../config/node-flags.ts'
import { KpiError } from '../errors.ts'
import { cliEntry } from '../process/cli-entry.ts'
import { isReadyMessage } from '../process/ready-signal.ts'
import { type ProcessFigures, processFigures } from './cpu.ts'

/** What `/health` reports about the worker itself. */
export interface WorkerPart {
  readonly merged: number
  readonly batches: number
  readonly rows: number
  /** NaN is sent as null. */
  readonly firstRecordsAtMs: number | null
  readonly lastCommitAtMs: number | null
}

/** `market-kpi consume` as a process, started in the usual way. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #http = ''
  #ended: string | undefined

  private constructor(env: Record<string, string>) {
    const args = [cliEntry, 'consume', '--http-port', '0', '--log-level', 'warn']
    this.#child = spawn(process.execPath, [...nodeFlags(), ...args], {
      env: { ...process.env, ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#ended = `the worker ended with ${signal ?? code}`
        resolve()
      })
    })
  }

  /** @throws KpiError `KPI_CHILD_FAILED` if it ends before it reads. */
  static async start(env: Record<string, string>): Promise<WorkerProcess> {
    const worker = new WorkerProcess(env)
    const ready = new Promise<string>((resolve) => {
      worker.#child.on('message', (message) => {
        if (isReadyMessage(message)) resolve(message.http ?? '')
      })
    })
    worker.#http = (await Promise.race([ready, worker.#exited])) ?? ''
    worker.assertAlive()
    return worker
  }

  get figures(): ProcessFigures {
    return processFigures(this.#child.pid ?? 0)
  }

  /** @throws KpiError `KPI_CHILD_FAILED`. */
  assertAlive(): void {
    if (this.#ended !== undefined) throw new KpiError('KPI_CHILD_FAILED', this.#ended)
  }

  async health(): Promise<WorkerPart> {
    const answer = (await (await fetch(`${this.#http}/health`)).json()) as { worker: WorkerPart }
    return answer.worker
  }

  /** Partitions assigned to it. */
  async partitions(): Promise<number> {
    this.assertAlive()
    const metrics = await (await fetch(`${this.#http}/metrics`)).text()
    return Number(/^market_kpi_worker_partitions (\d+)/m.exec(metrics)?.[1])
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exited
  }
}
