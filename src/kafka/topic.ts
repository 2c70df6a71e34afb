import { ConfigResourceTypes, createTopicsV7, describeConfigsV4 } from '@platformatic/kafka'
import { KpiError } from '../errors.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { brokerErrorOf, kafkaError } from './errors.ts'

export interface WantedTopic {
  readonly topic: string
  readonly partitions: number
  /** -1 for the brokers' default. */
  readonly replicationFactor: number
}

const createTimeoutMs = 15_000

/**
 * Creates the topic, with the broker's clock as its records' timestamps (so that whether a message counts depends on
 * the log alone), or checks the one that is there.
 *
 * @returns The topic, and what was done or should be known, a line each.
 * @throws KpiError `KPI_TOPIC_MISMATCH` when there are fewer partitions than wanted.
 */
export async function prepareTopic(
  cluster: KafkaCluster,
  wanted: WantedTopic,
): Promise<{ metadata: TopicMetadata; done: string[] }> {
  const there = await findTopic(cluster, wanted.topic)
  if (!there) {
    await createTopic(cluster, wanted)
    const done = [`created the topic '${wanted.topic}' with ${wanted.partitions} partitions`]
    return { metadata: await waitForLeaders(cluster, wanted), done }
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

async function createTopic(cluster: KafkaCluster, wanted: WantedTopic): Promise<void> {
  const topic = {
    name: wanted.topic,
    numPartitions: wanted.partitions,
    replicationFactor: wanted.replicationFactor,
    assignments: [],
    configs: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
  }
  const { controllerId } = await cluster.clusterMetadata()
  try {
    await cluster.request(controllerId, 'control', createTopicsV7.api, [topic], createTimeoutMs, false)
  } catch (error) {
    if (brokerErrorOf(error) === 'TOPIC_ALREADY_EXISTS') return
    throw kafkaError(error, `broker ${controllerId} (creating the topic '${wanted.topic}')`)
  }
}

async function waitForLeaders(cluster: KafkaCluster, wanted: WantedTopic): Promise<TopicMetadata> {
  const deadline = performance.now() + createTimeoutMs
  for (;;) {
    const found = await findTopic(cluster, wanted.topic)
    const led = found?.partitions.filter((p) => p.leaderId >= 0).length ?? 0
    if (found && led >= wanted.partitions) return found
    if (performance.now() > deadline) {
      throw new KpiError(
        'KPI_KAFKA_REQUEST',
        `the topic '${wanted.topic}' has ${led} of ${wanted.partitions} leaders after ${createTimeoutMs / 1000} s`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function remarks(cluster: KafkaCluster, wanted: WantedTopic, count: number): Promise<string[]> {
  const lines: string[] = []
  if (count > wanted.partitions) {
    lines.push(
      `the topic '${wanted.topic}' has ${count} partitions (KAFKA_PARTITIONS=${wanted.partitions}): all are used`,
    )
  }
  const type = await timestampType(cluster, wanted.topic)
  if (type !== undefined && type !== 'LogAppendTime') {
    lines.push(
      `the topic '${wanted.topic}' has message.timestamp.type=${type}: producers' clocks decide what is a future timestamp; LogAppendTime lets the broker's decide`,
    )
  }
  return lines
}

/** Undefined where the brokers do not let us see it. */
async function timestampType(cluster: KafkaCluster, topic: string): Promise<string | undefined> {
  const resource = {
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName: topic,
    configurationKeys: ['message.timestamp.type'],
  }
  try {
    const answer = await cluster.request('any', 'control', describeConfigsV4.api, [resource], false, false)
    return answer.results[0]?.configs[0]?.value ?? undefined
  } catch {
    return undefined
  }
}
