import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { type KafkaServer, startKafka } from '../../src/embedded/kafka-server.ts'
import { choosePort } from '../../src/embedded/ports.ts'
import { ownerRole, type PostgresServer, startPostgres } from '../../src/embedded/postgres-server.ts'
import { messageOf } from '../../src/errors.ts'
import { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { Logger } from '../../src/log.ts'
import { Disk } from './disks.ts'
import { childrenOf } from './processes-of.ts'
import { TcpProxy } from './tcp-proxy.ts'

export interface OwnStackOptions {
  readonly folder: string
  readonly logsDir: string
  readonly log: Logger
  readonly hasDisks: boolean
  /** A server ended, or could not be started again, and it was not us. */
  readonly failed: (why: string) => void
}

const stopDeadlineMs = 20_000
const restartPauseMs = 500
const mostStarts = 20
/** What a server that its disk had hurt may need to make up its mind. */
const decisionMs = 30_000
const lookPauseMs = 1000

/** A server that comes back at its place, whatever happened to it. */
class Home<S extends KafkaServer | PostgresServer> {
  readonly name: string
  readonly disk: Disk | undefined
  readonly #options: OwnStackOptions
  readonly #start: () => Promise<S>
  readonly #answers: (server: S) => Promise<boolean>
  #server: S | undefined
  /** Whether an end of the server is what we want, or expect. */
  #mayEnd = false

  constructor(
    name: string,
    options: OwnStackOptions,
    ways: { start: () => Promise<S>; answers: (server: S) => Promise<boolean> },
  ) {
    this.name = name
    this.#options = options
    this.#start = ways.start
    this.#answers = ways.answers
    const folder = join(options.folder, name)
    if (options.hasDisks) this.disk = new Disk(folder)
    else mkdirSync(folder)
  }

  get server(): S {
    if (this.#server === undefined) throw new Error(`${this.name} was not started`)
    return this.#server
  }

  async start(): Promise<void> {
    const server = await this.#start()
    this.#mayEnd = false
    this.#server = server
    void server.exited.then((exit) => {
      this.#server = undefined
      if (!this.#mayEnd) this.#options.failed(server.failure(exit).message)
    })
  }

  /** As the supervisor of `up` does it: again and again. */
  async restart(): Promise<void> {
    for (let starts = 1; ; starts++) {
      try {
        return await this.start()
      } catch (error) {
        if (starts === mostStarts) return this.#options.failed(`${this.name} does not start again: ${messageOf(error)}`)
        await delay(restartPauseMs)
      }
    }
  }

  async kill(): Promise<void> {
    this.#mayEnd = true
    const { pid, exited } = this.server
    process.kill(pid, 'SIGKILL')
    await exited
  }

  async stop(): Promise<void> {
    this.#mayEnd = true
    await this.#server?.stop(stopDeadlineMs)
  }

  /** With all its processes. @returns Lets them go on. */
  freeze(): () => void {
    const { pid } = this.server
    const all = [pid, ...childrenOf(pid)]
    signalAll(all, 'SIGSTOP')
    return () => signalAll(all.reverse(), 'SIGCONT')
  }

  /** For a time in which it may end by itself, and is started again if it did. */
  async whileItMayEnd(work: () => Promise<void>): Promise<void> {
    this.#mayEnd = true
    await work()
    const until = performance.now() + decisionMs
    for (let answers = 0; answers < 2 && performance.now() < until; ) {
      const server = this.#server
      if (server === undefined) await this.restart()
      else if (await this.#answers(server)) answers += 1
      await delay(lookPauseMs)
    }
    this.#mayEnd = false
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}

async function kafkaAnswers({ bootstrap }: KafkaServer): Promise<boolean> {
  const cluster = new KafkaCluster({ bootstrap: [bootstrap], clientId: 'chaos', requestTimeoutMs: 2000 })
  try {
    return (await cluster.clusterMetadata()).clusterId !== ''
  } catch {
    return false
  } finally {
    await cluster.close()
  }
}

async function postgresAnswers(server: PostgresServer): Promise<boolean> {
  const client = new pg.Client({ connectionString: server.url(ownerRole), connectionTimeoutMillis: 2000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** A broker and a database of the run's own, and the ways that lead to them. */
export class OwnStack {
  readonly kafka: Home<KafkaServer>
  readonly postgres: Home<PostgresServer>
  /** The broker sends all clients here. */
  readonly wayToKafka: TcpProxy
  readonly wayToPostgres: TcpProxy

  private constructor(
    options: OwnStackOptions,
    ways: { ports: readonly [number, number]; proxies: [TcpProxy, TcpProxy] },
  ) {
    const { folder, logsDir, log } = options
    const [kafkaPort, postgresPort] = ways.ports
    ;[this.wayToKafka, this.wayToPostgres] = ways.proxies
    const advertisedPort = this.wayToKafka.port
    this.kafka = new Home<KafkaServer>('kafka', options, {
      start: () => startKafka({ dataDir: join(folder, 'kafka'), logsDir, log, port: kafkaPort, advertisedPort }),
      answers: kafkaAnswers,
    })
    this.postgres = new Home<PostgresServer>('postgres', options, {
      start: () => startPostgres({ dataDir: join(folder, 'postgres'), logsDir, log, port: postgresPort }),
      answers: postgresAnswers,
    })
  }

  static async start(options: OwnStackOptions): Promise<OwnStack> {
    const kafkaPort = await choosePort(0)
    const postgresPort = await choosePort(0, new Set([kafkaPort]))
    const ports = [kafkaPort, postgresPort] as const
    const proxies: [TcpProxy, TcpProxy] = [await TcpProxy.start(kafkaPort), await TcpProxy.start(postgresPort)]
    const stack = new OwnStack(options, { ports, proxies })
    await Promise.all([stack.kafka.start(), stack.postgres.start()])
    return stack
  }

  async stop(): Promise<void> {
    await Promise.all([this.kafka.stop(), this.postgres.stop()])
    await Promise.all([this.wayToKafka.close(), this.wayToPostgres.close()])
    this.kafka.disk?.unmount()
    this.postgres.disk?.unmount()
  }
}
