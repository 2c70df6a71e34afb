import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { createTopicsV7, deleteRecordsV2, deleteTopicsV6 } from '#kafka-protocol'
import { KafkaCluster, type TopicMetadata } from '../../../src/kafka/client/cluster.ts'
import { messageKey, partitionOf } from '../../../src/kafka/records/message-key.ts'
import { until } from './until.ts'

/** A topic of a test's own, for tests that need no database; `await using` takes it away again. */
export interface TestTopic {
  readonly name: string
  readonly cluster: KafkaCluster
  metadata: TopicMetadata
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestTopicOptions {
  /** @defaultValue 1 */
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
  /** @defaultValue the broker of all tests */
  readonly bootstrap?: string
  readonly clientId?: string
}

const timeoutMs = 15_000

export async function makeTopic(options: TestTopicOptions = {}): Promise<TestTopic> {
  const name = `topic-${randomBytes(6).toString('hex')}`
  const bootstrap = options.bootstrap ?? inject('bootstrap')
  const cluster = new KafkaCluster({ bootstrap: [bootstrap], clientId: options.clientId ?? name })
  const metadata = await createTopic(cluster, name, options)
  return {
    name,
    cluster,
    metadata,
    [Symbol.asyncDispose]: async () => {
      // A test may have deleted it, or taken the broker away.
      await deleteTopic(cluster, name).catch(() => undefined)
      await cluster.close()
    },
  }
}

export async function createTopic(
  cluster: KafkaCluster,
  name: string,
  { partitions = 1, configs = {} }: TestTopicOptions = {},
): Promise<TopicMetadata> {
  const topic = {
    name,
    numPartitions: partitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  }
  await cluster.request('any', 'control', createTopicsV7.api, [topic], timeoutMs, false)
  return until(
    'a topic with leaders',
    () => cluster.topicMetadata(name).catch(() => undefined),
    (found) => found?.partitions.filter(({ leaderId }) => leaderId >= 0).length === partitions,
  ) as Promise<TopicMetadata>
}

export async function deleteTopic(cluster: KafkaCluster, name: string): Promise<void> {
  await cluster.request('any', 'control', deleteTopicsV6.api, [{ name, topicId: null }], timeoutMs)
}

/** Deletes the records below an offset, as retention would. */
export async function deleteRecords(topic: TestTopic, partition: number, below: number): Promise<void> {
  const partitions = [{ partitionIndex: partition, offset: BigInt(below) }]
  const leaderId = topic.metadata.partitions[partition]?.leaderId ?? -1
  await topic.cluster.request(leaderId, 'control', deleteRecordsV2.api, [{ name: topic.name, partitions }], timeoutMs)
}

/** A symbol whose messages go to this partition. */
function symbolOf(partition: number, partitions: number): string {
  for (let i = 0; ; i++) if (partitionOf(messageKey(`S${i}`), partitions) === partition) return `S${i}`
}

/** Values for one partition, as `send` takes them. */
export function valuesFor(
  partition: number,
  partitions: number,
  values: readonly (string | Buffer)[],
): { symbol: string; value: string | Buffer }[] {
  const symbol = symbolOf(partition, partitions)
  return values.map((value) => ({ symbol, value }))
}
