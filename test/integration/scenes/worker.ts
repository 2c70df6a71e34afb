import { Worker, type WorkerStep } from '../../../src/consumer/worker.ts'
import { connectPorts } from '../../../src/consumer/worker-ports.ts'
import type { KpiError } from '../../../src/errors.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { kafkaOptions } from '../../../src/kafka/client/options.ts'
import type { Logger } from '../../../src/log.ts'
import { openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { checkDefinition } from '../../../src/store/schema/definition.ts'
import { countersOf } from './market.ts'
import { type Pipeline, silentLog } from './pipeline.ts'
import { until } from './until.ts'

export interface TestWorker {
  readonly worker: Worker
  /** What the worker could not go on from. */
  readonly fatal: Promise<KpiError>
  stop(): Promise<void>
}

/** A worker in this process, with connections of its own. */
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
  const cluster = new KafkaCluster(kafkaOptions(config, 'test-worker'))
  const database = await openDatabase(postgresOptions(config), {
    maxConnections: options.lanes ?? 2,
    applicationName: 'market-kpi test worker',
  })
  const metadata = await cluster.topicMetadata(config.kafkaTopic)
  const { windowSeconds, allowedLatenessSeconds, maxFutureSeconds, decimals } = config
  const definitionId = await checkDefinition(database, {
    clusterId: metadata.clusterId,
    topic: metadata.topic,
    topicId: metadata.topicId,
    consumerGroup: config.kafkaGroup,
    windowSeconds,
    allowedLatenessSeconds,
    maxFutureSeconds,
    decimals,
  })
  const { promise: fatal, resolve } = Promise.withResolvers<KpiError>()
  const { kafkaGroup: group } = config
  const { log = silentLog, batchWaitMs = 20 } = options
  const around = { cluster, database, metadata, group, definitionId, decimals, batchWaitMs, log }
  const ports = connectPorts(around)
  const worker = new Worker({
    ports,
    reduction: { windowSeconds, allowedLatenessSeconds, maxFutureSeconds, decimals, payloadsPerMinute: 1000 },
    batchSize: options.batchSize ?? 10_000,
    batchWaitMs,
    lanes: options.lanes ?? 2,
    fatal: resolve,
    log,
    ...(options.maxPendingRows ? { maxPendingRows: options.maxPendingRows } : {}),
    ...(options.onStep ? { onStep: options.onStep } : {}),
  })
  worker.start()
  const stop = async () => {
    await worker.stop(5000)
    await database.close()
    await cluster.close()
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
