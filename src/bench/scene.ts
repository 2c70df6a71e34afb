import { type Config, loadConfig } from '../config/load.ts'
import { KafkaCluster, type TopicMetadata } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import type { Logger } from '../log.ts'
import { preparePipeline } from '../services/prepare.ts'
import { type Database, openDatabase, postgresOptions, withClient } from '../store/client/connection.ts'
import type { BenchServers } from './servers.ts'

/** What a run uses: a topic, which other runs may share, and an empty database of its own. */
export interface Scene {
  readonly topic: string
  readonly config: Config
  /** The environment for a worker. */
  readonly env: Record<string, string>
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  readonly database: Database
  /** The process id of the postmaster. */
  readonly postgresPid: number
  /** Also drops the database. */
  close(): Promise<void>
}

export interface SceneOptions {
  readonly topic: string
  readonly partitions: number
  /** The name of the group and the database. */
  readonly name: string
  /** Settings for the worker. */
  readonly settings?: Readonly<Record<string, string>>
}

export async function openScene(servers: BenchServers, options: SceneOptions, log: Logger): Promise<Scene> {
  const { topic, partitions, name, settings = {} } = options
  const place = { topic, name }
  const ownerEnv = {
    ...rulesOf(process.env),
    ...servers.environment(place, 'owner'),
    KAFKA_PARTITIONS: String(partitions),
  }
  const config = loadConfig({ env: ownerEnv })
  for (const line of await preparePipeline(config, { acceptNewTopic: false })) log.debug(line)
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-bench'))
  const metadata = await cluster.topicMetadata(topic)
  const database = await openDatabase(postgresOptions(config), {
    maxConnections: 2,
    applicationName: 'market-kpi bench',
  })
  const close = async () => {
    await database.close()
    await cluster.close()
    const elsewhere = { ...postgresOptions(config), database: 'postgres' }
    await withClient(elsewhere, (client) => client.query(`DROP DATABASE ${client.escapeIdentifier(name)} WITH (FORCE)`))
  }
  const env = { ...servers.environment(place, 'pipeline'), ...settings }
  return { topic, config, env, cluster, metadata, database, postgresPid: servers.postgres.pid, close }
}

/**
 * Settings for how messages are read. A worker inherits them from the environment, so the database must be prepared
 * with the same values.
 */
const rules = ['WINDOW_SECONDS', 'ALLOWED_LATENESS_SECONDS', 'MAX_FUTURE_SECONDS', 'DECIMALS']

function rulesOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const given = rules.map((name) => [name, environment[name]] as const)
  return Object.fromEntries(given.filter((pair): pair is readonly [string, string] => pair[1] !== undefined))
}
