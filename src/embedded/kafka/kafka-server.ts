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
 * One KRaft node, broker and controller in one process, on loopback; it stands alone unless it is told of other nodes.
 *
 * Durability: a write is acknowledged once it is in the page cache, which outlives kill −9 of the process; one node
 * cannot promise more without a flush a write.
 */
export interface KafkaServerOptions {
  /** The data directory of the stack; the broker's own part of it is DIR/kafka. */
  readonly dataDir: string
  readonly logsDir: string
  /** 0 for any free one. @defaultValue 0 */
  readonly port?: number
  /** Where clients are sent, when something stands between them and the broker. @defaultValue `port` */
  readonly advertisedPort?: number
  /** Of a cluster of several nodes, which are started at the same time: none is ready before most of them run. */
  readonly node?: KafkaNode
  /** Settings of server.properties that win over those shipped. */
  readonly settings?: Readonly<Record<string, string>>
  readonly log: Logger
  readonly records?: RunRecords
  readonly env?: NodeJS.ProcessEnv
  /** Looked for when they are not given. */
  readonly programs?: KafkaPrograms
  /** Aborting ends a start that is under way. */
  readonly signal?: AbortSignal
}

export interface KafkaServer {
  readonly pid: number
  readonly port: number
  /** `127.0.0.1:PORT` */
  readonly bootstrap: string
  readonly exited: Promise<ChildExit>
  /** Controlled shutdown; SIGKILL when the deadline has passed. Idempotent. */
  stop(deadlineMs: number): Promise<void>
  kill(): void
  /** Why it ended, from its last words. */
  failure(exit: ChildExit): KpiError
}

/** What the broker is run with. */
export interface KafkaPrograms {
  readonly java: string
  /** The folder of its jars. */
  readonly jars: string
}

/**
 * Finds them, and fetches the jars where they are missing.
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

/** Recovery of a large log after kill −9 reads its last segments again. */
const startTimeoutMs = 120_000

/**
 * Starts the broker and returns when it answers.
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

/** 16 random bytes in Kafka's base64; one that starts with a dash would be read as an option. */
export function newClusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}

/** Formats a folder beside the final one and renames it, so that a kill on the way leaves nothing half done. */
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

/** Ready is an unfenced broker in the metadata that it answers itself, not a line in its log. */
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
