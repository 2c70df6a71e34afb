import { ConfigResourceTypes, createTopicsV7, describeConfigsV4 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { brokerErrorOf, kafkaError } from './errors.ts'

export interface WantedTopic {
  readonly topic: string
  readonly partitions: number
  /** -1 for the brokers' default. */
  readonly replicationFactor: number
}

const createTimeoutMs = 15_000
const leaderLookMs = 50
export const timestampType = 'message.timestamp.type'
const cleanupPolicy = 'cleanup.policy'

/**
 * Creates the topic, or checks the existing one. A new topic uses the broker's clock for its records' timestamps
 * (LogAppendTime), so that whether a message is counted depends on the log alone.
 *
 * @returns The topic, and one line for each action taken or setting worth knowing.
 * @throws KpiError `KPI_TOPIC_MISMATCH` when the topic has fewer partitions than configured.
 */
export async function prepareTopic(
  cluster: KafkaCluster,
  wanted: WantedTopic,
): Promise<{ metadata: TopicMetadata; done: string[] }> {
  let there = await findTopic(cluster, wanted.topic)
  if (!there) {
    const isOurs = await createTopic(cluster, wanted)
    there = await waitForLeaders(cluster, wanted)
    const done = [`created the topic '${wanted.topic}' with ${wanted.partitions} partitions`]
    if (isOurs) return { metadata: there, done }
  }
  const count = there.partitions.length
  if (count < wanted.partitions) {
    throw new KpiError(
      'KPI_TOPIC_MISMATCH',
      `the topic '${wanted.topic}' has ${count} partitions, KAFKA_PARTITIONS asks for ${wanted.partitions}: add partitions to the topic, or set KAFKA_PARTITIONS=${count}`,
    )
  }
  return { metadata: there, done: await remarks(cluster, wanted, count) }
}

async function findTopic(cluster: KafkaCluster, topic: string): Promise<TopicMetadata | undefined> {
  try {
    return await cluster.topicMetadata(topic)
  } catch (error) {
    if (error instanceof KpiError && error.code === 'KPI_TOPIC_MISSING') return undefined
    throw error
  }
}

/** @returns false when another program has created the topic at the same time, with settings that we do not know. */
async function createTopic(cluster: KafkaCluster, wanted: WantedTopic): Promise<boolean> {
  const topic = {
    name: wanted.topic,
    numPartitions: wanted.partitions,
    replicationFactor: wanted.replicationFactor,
    assignments: [],
    configs: [{ name: timestampType, value: 'LogAppendTime' }],
  }
  const { controllerId } = await cluster.clusterMetadata()
  try {
    await cluster.request(controllerId, 'control', createTopicsV7.api, [topic], createTimeoutMs, false)
    return true
  } catch (error) {
    if (brokerErrorOf(error) === 'TOPIC_ALREADY_EXISTS') return false
    throw kafkaError(error, `broker ${controllerId} (creating the topic '${wanted.topic}')`)
  }
}

async function waitForLeaders(cluster: KafkaCluster, wanted: WantedTopic): Promise<TopicMetadata> {
  const deadline = performance.now() + createTimeoutMs
  for (;;) {
    const found = await findTopic(cluster, wanted.topic)
    const partitions = found?.partitions ?? []
    const led = partitions.filter((p) => p.leaderId >= 0).length
    if (found && led > 0 && led === partitions.length) return found
    if (performance.now() > deadline) {
      throw new KpiError(
        'KPI_KAFKA_REQUEST',
        `the topic '${wanted.topic}' has ${led} of ${wanted.partitions} leaders after ${createTimeoutMs / 1000} s`,
      )
    }
    await pause(leaderLookMs)
  }
}

async function remarks(cluster: KafkaCluster, wanted: WantedTopic, count: number): Promise<string[]> {
  const lines: string[] = []
  if (count > wanted.partitions) {
    lines.push(
      `the topic '${wanted.topic}' has ${count} partitions (KAFKA_PARTITIONS=${wanted.partitions}): all are used`,
    )
  }
  const configs = await topicConfigs(cluster, wanted.topic)
  const type = configs.get(timestampType)
  if (type !== undefined && type !== 'LogAppendTime') {
    lines.push(
      `the topic '${wanted.topic}' has ${timestampType}=${type}: producers' clocks decide what is a future timestamp; LogAppendTime lets the broker's decide`,
    )
  }
  const cleanup = configs.get(cleanupPolicy)
  if (cleanup?.includes('compact')) {
    lines.push(
      `the topic '${wanted.topic}' has ${cleanupPolicy}=${cleanup}: Kafka may delete all but the last price of a symbol, before they are read too; use delete`,
    )
  }
  return lines
}

/** The topic's settings by name; empty when the brokers do not allow us to read them. */
export async function topicConfigs(cluster: KafkaCluster, topic: string): Promise<ReadonlyMap<string, string>> {
  const resource = {
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName: topic,
    configurationKeys: [timestampType, cleanupPolicy],
  }
  try {
    const answer = await cluster.request('any', 'control', describeConfigsV4.api, [resource], false, false)
    const found = answer.results[0]?.configs ?? []
    return new Map(found.map(({ name, value }) => [name, value ?? '']))
  } catch {
    return new Map()
  }
}
