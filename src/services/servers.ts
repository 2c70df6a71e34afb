import type { Config } from '../config/load.ts'
import { KafkaCluster, type TopicMetadata } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import { type Database, openDatabase, postgresOptions } from '../store/client/connection.ts'

const maxConnections = 2

/** Runs a command's work on the database, and closes it whatever happens. */
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

/** The same for the Kafka cluster, of which the configured topic is looked up first. */
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
