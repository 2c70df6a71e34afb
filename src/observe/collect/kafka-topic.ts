import { metadataV12 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import { brokerErrorName, kafkaError } from '../../kafka/client/errors.ts'
import type { TopicState } from '../snapshot.ts'

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>

const isMissing: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])

/** Reads partitions, leaders and replicas. If the topic does not exist, `isThere` is false. */
export async function lookAtTopic(cluster: KafkaCluster, name: string): Promise<TopicState> {
  const { topics } = await describe(cluster, name)
  const found = topics[0]
  const error = found?.errorCode === 0 ? undefined : brokerErrorName(found?.errorCode ?? 3)
  if (error !== undefined && isMissing.has(error)) return { isThere: false, topicId: '', partitions: [] }
  if (error !== undefined || !found) {
    throw new KpiError('KPI_KAFKA_REQUEST', `Kafka does not describe the topic '${name}': ${error}`)
  }
  const partitions = found.partitions.map((p) => ({
    partition: p.partitionIndex,
    leaderId: p.leaderId >= 0 && p.errorCode !== leaderNotAvailable ? p.leaderId : null,
    leaderEpoch: p.leaderEpoch,
    replicas: p.replicaNodes.length,
    inSyncReplicas: p.isrNodes.length,
  }))
  return {
    isThere: true,
    topicId: found.topicId,
    partitions: partitions.sort((a, b) => a.partition - b.partition),
  }
}

const leaderNotAvailable = 5

async function describe(cluster: KafkaCluster, name: string): Promise<MetadataResponse> {
  try {
    return await cluster.request('any', 'control', metadataV12.api, [name], false, false)
  } catch (error) {
    // The library throws if any topic or partition has an error code. The response is complete nevertheless.
    const answer = (error as { response?: MetadataResponse }).response
    if (answer?.topics) return answer
    throw kafkaError(error, 'its brokers')
  }
}
