import { findCoordinatorV4, offsetFetchV8 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { brokerErrorName, kafkaError } from '../client/errors.ts'

const groupCoordinator = 0

/**
 * Reads the offsets that a consumer group has committed to Kafka, by partition. Partitions without one are left out.
 * The group need not have members.
 *
 * @throws KpiError `KPI_KAFKA_REQUEST` when the group has no coordinator at the moment, and connection errors.
 */
export async function committedOffsets(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  group: string,
): Promise<Map<number, number>> {
  const { topic, partitions } = metadata
  try {
    const { coordinators } = await cluster.request('any', 'control', findCoordinatorV4.api, groupCoordinator, [group])
    const coordinator = coordinators[0]
    if (coordinator?.errorCode !== 0) {
      const why = coordinator ? brokerErrorName(coordinator.errorCode) : 'no answer'
      throw new KpiError('KPI_KAFKA_REQUEST', `the group '${group}' has no coordinator at the moment: ${why}`)
    }
    const topics = [{ name: topic, partitionIndexes: partitions.map((p) => p.partition) }]
    const asked = [{ groupId: group, memberEpoch: -1, topics }]
    const answer = await cluster.request(coordinator.nodeId, 'control', offsetFetchV8.api, asked, false)
    const found = answer.groups[0]?.topics[0]?.partitions ?? []
    return new Map(
      found
        .filter(({ committedOffset }) => committedOffset >= 0n)
        .map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]),
    )
  } catch (error) {
    throw kafkaError(error, `the coordinator of the group '${group}'`)
  }
}
