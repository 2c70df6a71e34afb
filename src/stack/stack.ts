import { join } from 'node:path'
import type { Config } from '../config/load.ts'
import { placeVariable } from '../config/place.ts'
import { findKafkaPrograms, type KafkaServer } from '../embedded/kafka/kafka-server.ts'
import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { killAllChildren } from '../process/child.ts'
import { takeDownOrphans } from '../process/orphans.ts'
import { isFree, PortBook, startAtFreePort } from '../process/ports.ts'
import { RunRecords } from '../process/run-records.ts'
import { wholeStopDeadlineMs } from '../process/stop-order.ts'
import { type Part, type RunningPart, Supervisor } from '../process/supervisor.ts'
import { aborted, within } from '../runtime/abort.ts'
import { systemClock } from '../runtime/clock.ts'
import { commandPart, type RunningCommand } from './command-part.ts'
import { openDataDir, storageError } from './data-dir.ts'
import { removeEndpoints, writeEndpoints, writeShellEnvironment } from './endpoints.ts'
import { kafkaPart, postgresPart, type ServerDependencies } from './server-parts.ts'
import {
  type Environment,
  endpointsOf,
  kafkaEnvironment,
  ownerEnvironment,
  pipelineEnvironment,
  readerUrl,
  reportRows,
  type StackParts,
} from './stack-parts.ts'
import { readyReport } from './stack-report.ts'
import { takeUpLock } from './up-lock.ts'

export interface StackOptions {
  readonly dataDir: string
  readonly config: Config
  /** The source, as the `feed` command takes it; `none` for no feed. */
  readonly feed: string
  /** The options that are passed to the `feed` command. */
  readonly feedOptions: readonly string[]
  /** Number of consumer processes, at least one. */
  readonly workers: number
  /** Preferred ports; 0 for any free port. */
  readonly kafkaPort: number
  readonly postgresPort: number
  /** The port for metrics and health of the first worker. */
  readonly workerPort: number
  /** Whether alerts are evaluated. */
  readonly alerts: boolean
  /** The file that runs the command line. */
  readonly cliEntry: string
  /** Creates or upgrades topic, schema and roles. The given variables override the environment. */
  readonly prepare: (environment: Environment) => Promise<void>
  readonly log: Logger
  /** Prints a line of the report. */
  readonly print: (line: string) => void
  readonly env: NodeJS.ProcessEnv
}

/**
 * Everything that `up` does: it runs servers, topic and schema, feed and workers under one supervisor until `stop` is
 * aborted.
 *
 * @param forceStop - Aborted when the user does not want to wait for a graceful stop.
 * @throws KpiError when a part cannot be started. Everything that was started has ended by then.
 */
export async function runStack(options: StackOptions, stop: AbortSignal, forceStop: AbortSignal): Promise<void> {
  const dataDir = openDataDir(options.dataDir)
  try {
    await runLocked({ ...options, dataDir }, stop, forceStop)
  } catch (error) {
    throw storageError(dataDir, error)
  }
}

async function runLocked(options: StackOptions, stop: AbortSignal, forceStop: AbortSignal): Promise<void> {
  const { dataDir } = options
  const lock = takeUpLock(dataDir)
  process.once('exit', killAllChildren)
  try {
    const records = new RunRecords(dataDir)
    await takeDownOrphans(records, options.log)
    await new Stack(options, records).run(stop, forceStop)
  } finally {
    removeEndpoints(dataDir)
    lock.release()
    process.off('exit', killAllChildren)
  }
}

class Stack {
  readonly #options: StackOptions
  readonly #around: ServerDependencies
  readonly #supervisor: Supervisor
  readonly #startedAtMs = performance.now()
  readonly #parts: StackParts = { workers: [] }
  #ready = false

  constructor(options: StackOptions, records: RunRecords) {
    const { dataDir, log } = options
    this.#options = options
    this.#around = { dataDir, logsDir: join(dataDir, 'logs'), records, ports: new PortBook(), log }
    this.#supervisor = new Supervisor({ clock: systemClock, log })
  }

  async run(stop: AbortSignal, forceStop: AbortSignal): Promise<void> {
    const forceStopNow = () => this.#supervisor.forceStop()
    forceStop.addEventListener('abort', forceStopNow)
    const ending = aborted(stop).then(() => this.#stop())
    try {
      await this.#start(stop)
      if (!stop.aborted) this.#report()
      await ending
    } catch (error) {
      await this.#stop()
      if (!stop.aborted) throw error
    } finally {
      forceStop.removeEventListener('abort', forceStopNow)
    }
  }

  async #start(stop: AbortSignal): Promise<void> {
    const kafka = await this.#kafkaPart(stop)
    await allOrFirstFailure([kafka && this.#startKafka(kafka), this.#startPostgres()])
    await this.#options.prepare({ ...kafkaEnvironment(this.#parts), ...ownerEnvironment(this.#parts) })
    this.#tell('topic, schema and roles are there')
    const workers = Array.from({ length: this.#options.workers }, (_, index) => this.#startWorker(index))
    await allOrFirstFailure([this.#startFeed(), this.#startPrune(), ...workers])
    await this.#startAlerts()
    this.#ready = true
    this.#writeEndpoints()
  }

  /** Finds or downloads the broker's programs first, so that a missing one is reported before anything is started. */
  async #kafkaPart(signal: AbortSignal): Promise<Part<KafkaServer> | undefined> {
    const { config, kafkaPort: port, env, log } = this.#options
    if (config.kafkaBootstrapServers !== undefined) return undefined
    return kafkaPart(this.#around, { port, env, programs: await findKafkaPrograms({ env, log, signal }) })
  }

  async #startKafka(part: Part<KafkaServer>): Promise<void> {
    const server = await this.#keep(part, (running) => {
      this.#parts.kafka = running
    })
    this.#tell(`Kafka answers at ${server.bootstrap}`)
  }

  async #startPostgres(): Promise<void> {
    const { config, postgresPort: port } = this.#options
    if (config.databaseUrl !== undefined || config.postgresHost !== undefined) return
    const part = postgresPart(this.#around, { port, database: config.postgresDb })
    const server = await this.#keep(part, (running) => {
      this.#parts.postgres = running
    })
    this.#tell(`PostgreSQL answers at 127.0.0.1:${server.port}`)
  }

  async #startFeed(): Promise<void> {
    const { feed, feedOptions } = this.#options
    if (feed === 'none') return
    const givenUp = (error: KpiError) => {
      this.#parts.feed = undefined
      this.#parts.feedFailure = messageOf(error)
      if (this.#ready) this.#writeEndpoints()
    }
    const part = {
      ...this.#command('feed', async () => ['feed', feed, ...feedOptions]),
      isFinal: isFinalForFeed,
      givenUp,
    }
    try {
      await this.#keep(part, (running) => {
        this.#parts.feed = running
      })
    } catch (error) {
      if (!(error instanceof KpiError && isFinalForFeed(error))) throw error
      this.#options.log.error(`${error.message}; all else runs without a feed`)
      givenUp(error)
    }
  }

  /** Starts only if the settings limit the age of rows or rejected messages. */
  async #startPrune(): Promise<void> {
    const { pruneRowsOlderThan, pruneLettersOlderThan } = this.#options.config
    if (pruneRowsOlderThan === undefined && pruneLettersOlderThan === undefined) return
    await this.#keep(
      this.#command('prune', async () => ['prune', '--every', '1h', '--yes']),
      () => undefined,
    )
  }

  /** Started after the parts that it watches, because it would report them as missing. */
  async #startAlerts(): Promise<void> {
    if (!this.#options.alerts) return
    // Uses its default port if that is free, so that Prometheus needs to be configured only once.
    const part = this.#command('alerts', async () => ['alerts', 'watch'])
    const start = (signal: AbortSignal) => startAtFreePort(() => part.start(signal))
    await this.#keep({ ...part, start }, (running) => {
      this.#parts.alerts = running
    })
  }

  async #startWorker(index: number): Promise<void> {
    let port = this.#options.workerPort
    const args = async () => {
      port = await this.#workerPort(port, index)
      return ['consume', '--workers', '1', '--http-port', String(port)]
    }
    const part = this.#command(`worker-${index + 1}`, args)
    const start = (signal: AbortSignal) => startAtFreePort(() => part.start(signal))
    await this.#keep({ ...part, start }, (running) => {
      this.#parts.workers[index] = running
    })
  }

  /** A restarted worker uses its old port again, unless another process has taken it. */
  async #workerPort(last: number, index: number): Promise<number> {
    const { ports, log } = this.#around
    const own = this.#parts.workers[index]?.http?.endsWith(`:${last}`)
    if (own && (await isFree(last))) return last
    const port = await ports.choose(last)
    if (port !== last && !ports.isPromised(last)) log.warn(`port ${last} is taken: worker ${index + 1} gets ${port}`)
    return port
  }

  #command(name: string, args: () => Promise<readonly string[]>): Part<RunningCommand> {
    const { cliEntry, env, dataDir } = this.#options
    return commandPart({
      name,
      cliEntry,
      args,
      env: {
        ...env,
        NO_COLOR: '1',
        [placeVariable]: `${dataDir} ${name}`,
        ...kafkaEnvironment(this.#parts),
        ...pipelineEnvironment(this.#parts),
      },
      logsDir: this.#around.logsDir,
      records: this.#around.records,
    })
  }

  /**
   * Starts a part under the supervisor. After each start and restart, `note` gets the running part, and the endpoints
   * are written again.
   */
  #keep<R extends RunningPart>(part: Part<R>, note: (running: R) => void): Promise<R> {
    const start = async (signal: AbortSignal) => {
      const running = await part.start(signal)
      note(running)
      if (this.#ready) this.#writeEndpoints()
      return running
    }
    return this.#supervisor.start({ ...part, start })
  }

  /** A full disk must not end the parts that still run. The error is logged, and the next change tries again. */
  #writeEndpoints(): void {
    const { config, dataDir } = this.#options
    const reader = readerUrl(this.#parts, config)
    const names = { KAFKA_TOPIC: config.kafkaTopic, KAFKA_GROUP: config.kafkaGroup }
    const shell = { ...kafkaEnvironment(this.#parts), ...names, ...pipelineEnvironment(this.#parts) }
    try {
      writeEndpoints(dataDir, endpointsOf(this.#parts, config))
      writeShellEnvironment(dataDir, { ...shell, ...(reader ? { READER_DATABASE_URL: reader } : {}) })
    } catch (error) {
      this.#options.log.error(`cannot write ${join(dataDir, 'endpoints.json')}: ${messageOf(error)}`)
    }
  }

  #report(): void {
    const { config, dataDir, feed, print } = this.#options
    const rows = reportRows(this.#parts, config, feed)
    const elapsedMs = performance.now() - this.#startedAtMs
    for (const line of readyReport({
      rows,
      dataDir,
      hasReader: readerUrl(this.#parts, config) !== undefined,
      elapsedMs,
    }))
      print(line)
  }

  #tell(what: string): void {
    this.#options.log.info(`${what} (${((performance.now() - this.#startedAtMs) / 1000).toFixed(1)} s)`)
  }

  /**
   * Always returns within the deadline. A process that does not end even after SIGKILL is left to the operating
   * system.
   */
  async #stop(): Promise<void> {
    const { log } = this.#options
    const stopping = this.#supervisor.stop(wholeStopDeadlineMs).then(() => true)
    if (await within(wholeStopDeadlineMs + graceMs, stopping)) return
    log.error('some parts did not end in time: killing them')
    this.#supervisor.forceStop()
    await within(graceMs, stopping)
  }
}

const graceMs = 500

/** A wrong file or wrong options would fail again at the next start, which would read the whole file again. */
function isFinalForFeed({ code, exitCode }: KpiError): boolean {
  return code === 'KPI_FEED_FILE' || exitCode === 2
}

/** Like Promise.all, but failures after the first are ignored, because the first one causes them. */
async function allOrFirstFailure(starts: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const start of starts) start?.catch(() => undefined)
  await Promise.all(starts)
}
