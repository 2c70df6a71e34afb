import { describeLogDirsV4 } from '#kafka-protocol'
import { isOwnMistake, KpiError } from '../../errors.ts'
import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import { kafkaError } from '../../kafka/client/errors.ts'
import type { DiskState, VolumeState } from '../snapshot.ts'

/** Version 4 is the first that reports the size of the volume (KIP-827, Kafka 3.3). */
const describeLogDirsKey = 35
const wanted = { minVersion: 4, maxVersion: 4 }

/** Reads the size of the topic's log and of the volumes that hold it, from all brokers that answer. */
export async function lookAtDisk(
  cluster: KafkaCluster,
  topic: string,
  partitions: readonly number[],
): Promise<DiskState> {
  const answers = await Promise.allSettled(
    cluster.brokers.map(({ nodeId }) => volumesOf(cluster, nodeId, { name: topic, partitions: [...partitions] })),
  )
  const volumes = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  if (volumes.length === 0) {
    const failure = answers.find((answer) => answer.status === 'rejected')
    if (failure && isOwnMistake(failure.reason)) throw failure.reason
    throw failure ? kafkaError(failure.reason, 'its brokers') : new KpiError('KPI_KAFKA_REQUEST', 'no log directories')
  }
  return { topicBytes: volumes.reduce((sum, { topicBytes }) => sum + topicBytes, 0), volumes }
}

async function volumesOf(
  cluster: KafkaCluster,
  nodeId: number,
  asked: { name: string; partitions: number[] },
): Promise<VolumeState[]> {
  if ((await cluster.apiVersion(nodeId, describeLogDirsKey, wanted)) === undefined) {
    throw new KpiError(
      'KPI_KAFKA_REQUEST',
      `broker ${nodeId} does not report the size of its volumes: Kafka 3.3 or newer does`,
    )
  }
  // A broker lists all its directories, whichever topic is requested. The request names the topic, to leave out others.
  const { results } = await cluster.request(nodeId, 'control', describeLogDirsV4.api, [asked])
  return results.map(({ logDir, topics, totalBytes, usableBytes }) => ({
    nodeId,
    directory: logDir,
    topicBytes: topics.flatMap(({ partitions }) => partitions).reduce((sum, p) => sum + Number(p.partitionSize), 0),
    totalBytes: totalBytes > 0n ? Number(totalBytes) : null,
    usableBytes: totalBytes > 0n ? Number(usableBytes) : null,
  }))
}
