import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { type Config, loadConfig } from '../../../src/config/load.ts'
import type { SettingName } from '../../../src/config/settings.ts'
import { pipelineRole } from '../../../src/embedded/postgres/postgres-server.ts'
import { KafkaCluster, type TopicMetadata } from '../../../src/kafka/client/cluster.ts'
import { prepareTopic } from '../../../src/kafka/client/topic.ts'
import { createLogger } from '../../../src/log.ts'
import { definitionOf } from '../../../src/services/definition.ts'
import { type Database, openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { prepareSchema, recordDefinition } from '../../../src/store/schema/schema.ts'

/** A topic and a prepared database of a test's own, on the shared servers; `await using` takes them away again. */
export interface Pipeline {
  /** Of the pipeline role, as workers get it. */
  readonly config: Config
  /** The same as environment variables, for commands run as processes. */
  readonly env: Record<string, string>
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  /** As the owner of the schema. */
  readonly owner: Database
  readonly ownerUrl: string
  [Symbol.asyncDispose](): Promise<void>
}

export const silentLog = createLogger({ level: 'silent', format: 'json' })

/** Where a pipeline lives; by default on the servers that all tests share. */
export interface Servers {
  readonly bootstrap: string
  /** Of the owner, at the database `postgres`. */
  readonly ownerUrl: string
  readonly pipelinePassword: string
  readonly readerPassword: string
}

export function sharedServers(): Servers {
  return {
    bootstrap: inject('bootstrap'),
    ownerUrl: inject('ownerUrl'),
    pipelinePassword: inject('pipelinePassword'),
    readerPassword: inject('readerPassword'),
  }
}

export async function makePipeline(
  options: {
    partitions?: number
    settings?: Partial<Record<SettingName, string>>
    servers?: Servers
    /** Makes the topic, where the usual one will not do. */
    makeTopic?: (cluster: KafkaCluster, topic: string) => Promise<unknown>
  } = {},
): Promise<Pipeline> {
  const name = `test-${randomBytes(6).toString('hex')}`
  const servers = options.servers ?? sharedServers()
  const { bootstrap } = servers
  const ownerUrl = new URL(servers.ownerUrl)
  ownerUrl.pathname = `/${name}`
  const pipelineUrl = new URL(ownerUrl)
  pipelineUrl.username = pipelineRole
  pipelineUrl.password = servers.pipelinePassword
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: bootstrap,
    KAFKA_TOPIC: name,
    KAFKA_GROUP: name,
    KAFKA_PARTITIONS: String(options.partitions ?? 3),
    DATABASE_URL: pipelineUrl.href,
    BI_READER_PASSWORD: servers.readerPassword,
    POSTGRES_SSLMODE: 'disable',
  }
  const config = loadConfig({ flags: options.settings ?? {}, env })
  const ownerOptions = postgresOptions({ ...config, databaseUrl: ownerUrl.href })
  const cluster = new KafkaCluster({ bootstrap: bootstrap.split(','), clientId: name })
  const wanted = { topic: name, partitions: config.kafkaPartitions, replicationFactor: 1 }
  await options.makeTopic?.(cluster, name)
  const [{ metadata }] = await Promise.all([
    prepareTopic(cluster, wanted),
    prepareSchema(
      ownerOptions,
      { bi_user: servers.pipelinePassword, bi_reader: servers.readerPassword },
      config.partitionBy,
    ),
  ])
  await recordDefinition(ownerOptions, definitionOf(config, metadata))
  const owner = await openDatabase(ownerOptions, { maxConnections: 2, applicationName: 'market-kpi test' })
  return {
    config,
    env,
    cluster,
    metadata,
    owner,
    ownerUrl: ownerUrl.href,
    [Symbol.asyncDispose]: async () => {
      await owner.close()
      await cluster.close()
      await dropDatabase(name, servers)
    },
  }
}

async function dropDatabase(name: string, servers: Servers): Promise<void> {
  const config = loadConfig({ env: { DATABASE_URL: servers.ownerUrl, POSTGRES_SSLMODE: 'disable' } })
  const server = await openDatabase(postgresOptions(config), { maxConnections: 1, applicationName: 'market-kpi test' })
  await server.query({ text: `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)` })
  await server.close()
}
