import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { KafkaCluster } from '../kafka/cluster.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { prepareTopic } from '../kafka/topic.ts'
import type { Logger } from '../log.ts'
import { postgresOptions } from '../store/connection.ts'
import { acceptNewTopic, prepareSchema, recordDefinition } from '../store/schema.ts'
import { addSettingOptions, addStackOption, configure, withErrors } from './command.ts'
import { definitionOf } from './definition.ts'

export function register(program: Command): void {
  const command = program
    .command('init')
    .description('create or upgrade topic, schema and roles on your own servers; safe to repeat')
    .option(
      '--accept-new-topic',
      'the topic was deleted and created anew: keep the old rows apart, start with the new one',
    )
  addStackOption(command, 'owner')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup', 'partitionBy'])
    .addHelpText('after', environmentHelp)
    .action(withErrors((_flags: unknown, self: Command) => init(self)))
}

const environmentHelp = `
Environment:
  DATABASE_URL or POSTGRES_HOST, …           the database, as a role that may create tables and roles
  BI_USER_PASSWORD, BI_READER_PASSWORD       give the roles bi_user and bi_reader a login
  KAFKA_PARTITIONS, KAFKA_REPLICATION_FACTOR of a topic that is created
  all of them: docs/configuration.md`

async function init(command: Command): Promise<void> {
  const { config } = configure(command)
  const { acceptNewTopic: accept } = command.opts<{ acceptNewTopic?: true }>()
  const done = await preparePipeline(config, { acceptNewTopic: accept === true })
  for (const line of done.length > 0 ? done : ['everything is there already']) process.stdout.write(`${line}\n`)
}

/** What `up` runs before the feed and the workers: the same as `init`, told in the log. */
export async function prepareForUp(config: Config, log: Logger): Promise<void> {
  for (const line of await preparePipeline(config, { acceptNewTopic: false })) log.info(line)
}

/** Topic, schema, roles, definition. @returns What was done or should be known, a line each. */
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
