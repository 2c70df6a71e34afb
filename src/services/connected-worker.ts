import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config/load.ts'
import { workerClientPrefix } from '../consumer/dead-member-removal.ts'
import { Worker, type WorkerOptions } from '../consumer/worker.ts'
import { connectPorts } from '../consumer/worker-ports.ts'
import { KafkaCluster } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import { within } from '../runtime/abort.ts'
import { type Database, openDatabase, postgresOptions } from '../store/client/connection.ts'
import { checkDefinition } from '../store/schema/definition.ts'
import { definitionOf } from './definition.ts'

/** A worker and its connections, before it is started. */
export interface ConnectedWorker {
  readonly worker: Worker
  /** Unique: host, process and a random part. */
  readonly workerId: string
  readonly cluster: KafkaCluster
  readonly database: Database
  /** Aborted when the worker cannot continue; its reason is the KpiError. */
  readonly failed: AbortSignal
  /** Closes the connections. Stop the worker first. */
  close(): Promise<void>
}

export interface ConnectWorkerOptions extends Pick<WorkerOptions, 'log' | 'clock' | 'maxPendingRows' | 'onStep'> {
  /**
   * The member's client id in the group. Other workers remove a member only if it has the default client id and has not
   * reported its status for long.
   *
   * @defaultValue derived from the worker's id
   */
  readonly clientId?: string
}

const closeDeadlineMs = 750

/**
 * Connects a worker to the configured cluster and database.
 *
 * @throws KpiError when one of them cannot be reached, or the database has another definition.
 */
export async function connectWorker(config: Config, options: ConnectWorkerOptions): Promise<ConnectedWorker> {
  const workerId = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`
  const { clientId = `${workerClientPrefix}${workerId}`, ...workerOptions } = options
  const cluster = new KafkaCluster(kafkaOptions(config, clientId))
  let database: Database | undefined
  try {
    const metadata = await cluster.topicMetadata(config.kafkaTopic)
    database = await openDatabase(postgresOptions(config), {
      maxConnections: config.maxPoolConnections,
      applicationName: 'market-kpi consume',
    })
    const definitionId = await checkDefinition(database, definitionOf(config, metadata))
    const { kafkaGroup: group, batchWaitMs, decimals } = config
    const sessionTimeoutMs = config.kafkaSessionTimeoutSeconds * 1000
    const { log } = workerOptions
    const failed = new AbortController()
    const worker = new Worker({
      ...workerOptions,
      ports: connectPorts({
        ...{ cluster, database, metadata, group, sessionTimeoutMs, definitionId, decimals, batchWaitMs, log },
      }),
      reduction: {
        windowSeconds: config.windowSeconds,
        allowedLatenessSeconds: config.allowedLatenessSeconds,
        maxFutureSeconds: config.maxFutureSeconds,
        decimals,
        payloadsPerMinute: config.deadLetterPayloadsPerMinute,
      },
      batchSize: config.batchSize,
      batchWaitMs,
      lanes: config.maxPoolConnections,
      fatal: (error) => failed.abort(error),
    })
    const close = () => closeAll([database, cluster])
    return { worker, workerId, cluster, database, failed: failed.signal, close }
  } catch (error) {
    await closeAll([database, cluster])
    throw error
  }
}

/** Closes all parts. An unresponsive server would delay the end by seconds, so each close has a deadline. */
export async function closeAll(parts: readonly ({ close(): Promise<unknown> } | undefined)[]): Promise<void> {
  await within(closeDeadlineMs, Promise.allSettled(parts.map((part) => part?.close())))
}
