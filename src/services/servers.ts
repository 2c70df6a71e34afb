import type { Config } from '../config/load.ts'
import { KafkaCluster, type TopicMetadata } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import { type Database, openDatabase, postgresOptions } from '../store/client/connection.ts'

const maxConnections = 2

/** Runs a function with the database, and closes the database afterwards in any case. */
export async function withDatabase<T>(
  config: Config,
  command: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const options = postgresOptions(config)
  const database = await openDatabase(options, { maxConnections, applicationName: `market-kpi ${command}` })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/**
 * Runs a function with the Kafka cluster and the configured topic's metadata, and closes the cluster afterwards in any
 * case.
 */
export async function withTopic<T>(
  config: Config,
  command: string,
  work: (cluster: KafkaCluster, metadata: TopicMetadata) => Promise<T>,
): Promise<T> {
  const cluster = new KafkaCluster(kafkaOptions(config, `market-kpi-${command}`))
  try {
    return await work(cluster, await cluster.topicMetadata(config.kafkaTopic))
  } finally {
    await cluster.close()
  }
}
