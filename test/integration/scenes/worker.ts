import type { Worker } from '../../../src/consumer/worker.ts'
import type { WorkerStep } from '../../../src/consumer/worker-steps.ts'
import type { KpiError } from '../../../src/errors.ts'
import type { Logger } from '../../../src/log.ts'
import { connectWorker } from '../../../src/services/connected-worker.ts'
import { countersOf } from './market.ts'
import { type Pipeline, silentLog } from './pipeline.ts'
import { until } from './until.ts'

export interface TestWorker {
  readonly worker: Worker
  /** Why the worker could not continue. */
  readonly fatal: Promise<KpiError>
  stop(): Promise<void>
}

/** A worker in this process, connected as `market-kpi consume` connects it; it reports no status. */
export async function startWorker(
  { config }: Pick<Pipeline, 'config'>,
  options: {
    batchSize?: number
    batchWaitMs?: number
    lanes?: number
    maxPendingRows?: number
    onStep?: (step: WorkerStep) => void
    log?: Logger
  } = {},
): Promise<TestWorker> {
  const { batchSize = 10_000, batchWaitMs = 20, lanes = 2, log = silentLog, ...hooks } = options
  const settings = { ...config, batchSize, batchWaitMs, maxPoolConnections: lanes }
  const connected = await connectWorker(settings, { log, clientId: 'test-worker', ...hooks })
  const { worker, failed } = connected
  const { promise: fatal, resolve } = Promise.withResolvers<KpiError>()
  failed.addEventListener('abort', () => resolve(failed.reason), { once: true })
  worker.start()
  const stop = async () => {
    await worker.stop(5000)
    await connected.close()
  }
  return { worker, fatal, stop }
}

/** Until the positions account for so many messages. */
export async function untilCounted({ owner }: Pipeline, messages: number, timeoutMs = 60_000): Promise<void> {
  await until(
    `${messages} messages counted`,
    () => countersOf(owner),
    ({ merged, rejected }) => merged + rejected >= messages,
    timeoutMs,
  )
}
