import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { KpiError, messageOf } from '../../errors.ts'
import { KafkaCluster } from '../../kafka/client/cluster.ts'
import type { Logger } from '../../log.ts'
import { Child, type ChildExit } from '../../process/child.ts'
import { choosePort, startAtPort } from '../../process/ports.ts'
import { RotatingLog } from '../../process/rotating-log.ts'
import type { RunRecords } from '../../process/run-records.ts'
import { findJava } from './java.ts'
import { type KafkaNode, writeKafkaConfig } from './kafka-config.ts'
import { ensureKafkaJars } from './kafka-jars.ts'

/**
 * A KRaft node: broker and controller in one process, listening on loopback. It is a single node unless other nodes
 * are given.
 *
 * Durability: a write is acknowledged once it is in the page cache, which survives kill −9 of the process. A single
 * node cannot promise more without a flush for every write.
 */
export interface KafkaServerOptions {
  /** The data directory of the stack. The broker uses DIR/kafka. */
  readonly dataDir: string
  readonly logsDir: string
  /** 0 for any free port. @defaultValue 0 */
  readonly port?: number
  /** The port that clients are told to use, if a proxy is between them and the broker. @defaultValue `port` */
  readonly advertisedPort?: number
  /** For a node of a cluster. Start all nodes at the same time: none is ready before most of them run. */
  readonly node?: KafkaNode
  /** Settings of server.properties that override the defaults of market-kpi. */
  readonly settings?: Readonly<Record<string, string>>
  readonly log: Logger
  readonly records?: RunRecords
  readonly env?: NodeJS.ProcessEnv
  /** Searched if not given. */
  readonly programs?: KafkaPrograms
  /** Aborting it cancels a start that is in progress. */
  readonly signal?: AbortSignal
}

export interface KafkaServer {
  readonly pid: number
  readonly port: number
  /** `127.0.0.1:PORT` */
  readonly bootstrap: string
  readonly exited: Promise<ChildExit>
  /** Shuts down in a controlled way; SIGKILL after the deadline. Idempotent. */
  stop(deadlineMs: number): Promise<void>
  kill(): void
  /** Why the broker ended, according to its last output. */
  failure(exit: ChildExit): KpiError
}

/** The programs that the broker needs. */
export interface KafkaPrograms {
  readonly java: string
  /** The folder of its jars. */
  readonly jars: string
}

/**
 * Finds the programs, and downloads the jars if they are missing.
 *
 * @throws KpiError `KPI_JAVA_MISSING`, `KPI_MAVEN_MISSING`, `KPI_DOWNLOAD_FAILED`, `KPI_DISK_FULL`.
 */
export async function findKafkaPrograms(
  options: Pick<KafkaServerOptions, 'env' | 'log' | 'signal'>,
): Promise<KafkaPrograms> {
  const { env = process.env, log, signal } = options
  const java = await findJava(env)
  const progress = (line: string) => log.info(line)
  return { java, jars: await ensureKafkaJars({ env, progress, screen: process.stderr, ...(signal ? { signal } : {}) }) }
}

/** After kill −9, recovery of a large log reads its last segments again. */
const startTimeoutMs = 120_000

/**
 * Starts the broker, and returns when it responds.
 *
 * @throws KpiError as {@link findKafkaPrograms}, and `KPI_PORT_BUSY`, `KPI_DISK_FULL`, `KPI_DATA_DIR_UNUSABLE`,
 *   `KPI_CHILD_FAILED`.
 */
export function startKafka(options: KafkaServerOptions): Promise<KafkaServer> {
  return startAtPort(options.port, (port) => startAt(port, options))
}

async function startAt(port: number, options: KafkaServerOptions): Promise<KafkaServer> {
  const { log, signal, env = process.env } = options
  const { java, jars } = options.programs ?? (await findKafkaPrograms(options))
  const advertisedPort = options.advertisedPort ?? port
  const controllerPort = await choosePort(0, new Set([port]))
  const storage = join(options.dataDir, 'kafka')
  const output = new RotatingLog({ logsDir: options.logsDir, name: 'kafka' })
  const folder = join(options.dataDir, 'config')
  const { node, settings } = options
  const given = { folder, port, advertisedPort, controllerPort, ...(node && { node }), ...(settings && { settings }) }
  const run = (name: string, args: string[], kafkaOptions: { storage: string }) => {
    const files = writeKafkaConfig({ ...given, ...kafkaOptions })
    return Child.start({
      name,
      command: java,
      args: [...jvmFlags, `-Dlog4j2.configurationFile=${files.logging}`, '-cp', join(jars, '*'), ...args, files.server],
      env,
      cwd: options.dataDir,
      output,
      ...(options.records ? { records: options.records } : {}),
    })
  }
  if (!existsSync(join(storage, 'meta.properties'))) {
    const args = formatArgs(node?.clusterId ?? newClusterId())
    await format({ storage, log, signal, run: (target) => run('kafka-format', args, { storage: target }) })
  }
  signal?.throwIfAborted()
  const child = await run('kafka', ['kafka.Kafka'], { storage })
  const server = serverOf(child, port)
  await waitUntilReady(child, server, node?.id ?? 1, signal)
  return server
}

const jvmFlags = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:+ExitOnOutOfMemoryError',
  '-XX:-UsePerfData',
  '-Xshare:auto',
  '-Djava.awt.headless=true',
]

function formatArgs(clusterId: string): string[] {
  return ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c']
}

/** 16 random bytes in Kafka's base64. A leading dash is avoided, because it would be read as an option. */
export function newClusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}

/**
 * Formats a temporary folder and renames it to the final one, so that a kill in between leaves no half-formatted
 * folder.
 */
async function format(options: {
  storage: string
  log: Logger
  signal: AbortSignal | undefined
  run: (target: string) => Promise<Child>
}): Promise<void> {
  const { storage, log } = options
  const target = `${storage}.new`
  log.debug(`formatting ${storage}`)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true, mode: 0o700 })
  await (await options.run(target)).finish(options.signal)
  try {
    renameSync(target, storage)
  } catch (error) {
    throw new KpiError(
      'KPI_DATA_DIR_UNUSABLE',
      `${storage} holds files but no meta.properties: move it away, or name another --data-dir`,
      { cause: error },
    )
  }
}

function serverOf(child: Child, port: number): KafkaServer {
  let stopping: Promise<void> | undefined
  return {
    pid: child.pid,
    port,
    bootstrap: `127.0.0.1:${port}`,
    exited: child.exited,
    stop: (deadlineMs) => {
      stopping ??= child.stop([{ signal: 'SIGTERM', waitMs: deadlineMs }]).then(() => undefined)
      return stopping
    },
    kill: () => child.signal('SIGKILL'),
    failure: (exit) => child.failure(exit),
  }
}

/** The broker is ready when its own metadata lists it as unfenced. A line in its log would not be reliable. */
async function waitUntilReady(
  child: Child,
  server: KafkaServer,
  nodeId: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cluster = new KafkaCluster({
    bootstrap: [server.bootstrap],
    clientId: 'market-kpi-up',
    connectTimeoutMs: 1000,
    requestTimeoutMs: 5000,
  })
  const until = performance.now() + startTimeoutMs
  let last: unknown
  try {
    for (;;) {
      if (child.ended) throw child.failure(await child.exited)
      if (signal?.aborted || performance.now() > until) {
        child.signal('SIGKILL')
        await child.exited
        signal?.throwIfAborted()
        throw new KpiError(
          'KPI_CHILD_FAILED',
          `kafka did not answer within ${startTimeoutMs / 1000} s: ${child.tail.lastMeaningful() ?? messageOf(last)}`,
        )
      }
      try {
        await cluster.clusterMetadata()
        if (cluster.brokers.some((broker) => broker.nodeId === nodeId)) return
      } catch (error) {
        last = error
      }
      await child.endsWithin(50)
    }
  } finally {
    await cluster.close()
  }
}
