import { join } from 'node:path'
import pg from 'pg'
import { type KafkaServer, startKafka } from '../../src/embedded/kafka/kafka-server.ts'
import { ownerRole, type PostgresServer, startPostgres } from '../../src/embedded/postgres/postgres-server.ts'
import { KafkaCluster } from '../../src/kafka/client/cluster.ts'
import type { Logger } from '../../src/log.ts'
import { PortBook } from '../../src/process/ports.ts'
import { planNodes } from '../integration/servers/own-cluster.ts'
import { TcpProxy, Ways } from './faults/tcp-proxy.ts'
import { Home, type HomeOptions } from './home.ts'

export interface OwnStackOptions extends HomeOptions {
  readonly logsDir: string
  readonly log: Logger
  readonly brokers: number
}

/** A broker at its place, and the way that leads to it: the broker sends all clients there. */
export interface Broker {
  readonly id: number
  readonly home: Home<KafkaServer>
  readonly way: TcpProxy
  /** Of its partitions' logs. */
  readonly logFolder: string
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

/** So that elections, and what they leave behind, fit into a round. */
const clusterSettings = {
  // Of the topic: each partition has a leader and one follower, so that one that is behind may be all there is.
  'default.replication.factor': '2',
  'leader.imbalance.check.interval.seconds': '5',
  'leader.imbalance.per.broker.percentage': '0',
}
const settings = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000' }

/** Brokers and a database of the run's own, and the ways that lead to them. */
export class OwnStack {
  readonly brokers: readonly Broker[]
  readonly postgres: Home<PostgresServer>
  readonly wayToKafka: Ways
  readonly wayToPostgres: TcpProxy

  private constructor(brokers: readonly Broker[], postgres: Home<PostgresServer>, wayToPostgres: TcpProxy) {
    this.brokers = brokers
    this.postgres = postgres
    this.wayToKafka = new Ways(brokers.map(({ way }) => way))
    this.wayToPostgres = wayToPostgres
  }

  static async start(options: OwnStackOptions): Promise<OwnStack> {
    const ports = new PortBook()
    const brokers = await makeBrokers(options, ports)
    const port = await ports.choose(0)
    const { logsDir, log } = options
    const dataDir = join(options.folder, 'postgres')
    const postgres = new Home<PostgresServer>('postgres', options, {
      start: () => startPostgres({ dataDir, logsDir, log, port }),
      answers: postgresAnswers,
    })
    const stack = new OwnStack(brokers, postgres, await TcpProxy.start(port))
    await Promise.all([...stack.#homes].map((home) => home.start()))
    return stack
  }

  /** Addresses for clients of the brokers, through the ways. */
  get bootstrap(): string[] {
    return this.brokers.map(({ way }) => `127.0.0.1:${way.port}`)
  }

  /** @param id - From 1. */
  broker(id: number): Broker {
    const broker = this.brokers.find((one) => one.id === id)
    if (broker === undefined) throw new Error(`no broker ${id}`)
    return broker
  }

  async stop(): Promise<void> {
    await Promise.all(this.#homes.map((home) => home.stop()))
    await Promise.all([this.wayToKafka.close(), this.wayToPostgres.close()])
    for (const { disk } of this.#homes) disk?.unmount()
  }

  get #homes(): (Home<KafkaServer> | Home<PostgresServer>)[] {
    return [...this.brokers.map(({ home }) => home), this.postgres]
  }
}

async function makeBrokers(options: OwnStackOptions, ports: PortBook): Promise<Broker[]> {
  const { folder, logsDir, log } = options
  const nodes = options.brokers === 1 ? [undefined] : await planNodes(options.brokers, ports)
  const brokers: Broker[] = []
  for (const node of nodes) {
    const id = node?.id ?? 1
    const name = `kafka-${id}`
    const port = await ports.choose(0)
    const way = await TcpProxy.start(port)
    const place = { dataDir: join(folder, name), logsDir: join(logsDir, name), log, port, advertisedPort: way.port }
    const given = node ? { ...place, node, settings: { ...settings, ...clusterSettings } } : { ...place, settings }
    const home = new Home<KafkaServer>(name, options, { start: () => startKafka(given), answers: kafkaAnswers })
    brokers.push({ id, home, way, logFolder: join(folder, name, 'kafka') })
  }
  return brokers
}
