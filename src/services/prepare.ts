import type { Config } from '../config/load.ts'
import { KafkaCluster } from '../kafka/client/cluster.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import { prepareTopic } from '../kafka/client/topic.ts'
import type { Logger } from '../log.ts'
import { postgresOptions } from '../store/client/connection.ts'
import { acceptNewTopic, prepareSchema, recordDefinition } from '../store/schema/schema.ts'
import { definitionOf } from './definition.ts'

/** Runs the steps of `init` before `up` starts the feed and the workers, and logs each line. */
export async function prepareForUp(config: Config, log: Logger): Promise<void> {
  for (const line of await preparePipeline(config, { acceptNewTopic: false })) log.info(line)
}

/**
 * Creates or checks topic, schema, roles and definition. @returns One line for each action taken or setting worth
 * knowing.
 */
export async function preparePipeline(config: Config, options: { acceptNewTopic: boolean }): Promise<string[]> {
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-init'))
  try {
    const topic = await prepareTopic(cluster, {
      topic: config.kafkaTopic,
      partitions: config.kafkaPartitions,
      replicationFactor: config.kafkaReplicationFactor,
    })
    const database = postgresOptions(config)
    const passwords = { bi_user: config.pipelineRolePassword, bi_reader: config.readerRolePassword }
    const schema = await prepareSchema(database, passwords, config.partitionBy)
    const wanted = definitionOf(config, topic.metadata)
    const accepted = options.acceptNewTopic ? await acceptNewTopic(database, wanted) : []
    const recorded = await recordDefinition(database, wanted)
    return [...topic.done, ...schema, ...accepted, ...recorded]
  } finally {
    await cluster.close()
  }
}
