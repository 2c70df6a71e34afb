import { consumerGroupDescribeV0, describeGroupsV5, FindCoordinatorKeyTypes, findCoordinatorV4 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import type { KafkaCluster } from '../client/cluster.ts'
import { brokerErrorName, brokerErrorOf, kafkaError } from '../client/errors.ts'
import { decodeAssignment } from './group-subscription.ts'

/** A group as its coordinator describes it. */
export interface DescribedGroup {
  /** The state's name in Kafka's protocol. */
  readonly groupState: string
  readonly members: readonly DescribedMember[]
}

export interface DescribedMember {
  readonly memberId: string
  /**
   * market-kpi's workers use `classic`; versions before 0.2 used `consumer` (KIP-848) when the brokers supported it.
   */
  readonly protocol: 'classic' | 'consumer'
  readonly clientId: string
  readonly host: string
  /** The partitions of the requested topic. */
  readonly partitions: readonly number[]
}

const consumerGroupDescribeKey = 69

/**
 * Describes the group's members and their partitions of the topic, for both group protocols.
 *
 * @throws KpiError
 */
export async function describeGroup(cluster: KafkaCluster, group: string, topic: string): Promise<DescribedGroup> {
  try {
    const coordinator = await findCoordinator(cluster, group)
    return (
      (await describeConsumerGroup(cluster, coordinator, group, topic)) ??
      (await describeClassicGroup(cluster, coordinator, group, topic))
    )
  } catch (error) {
    throw kafkaError(error, `the coordinator of the group '${group}'`)
  }
}

async function findCoordinator(cluster: KafkaCluster, group: string): Promise<number> {
  const { GROUP } = FindCoordinatorKeyTypes
  const { coordinators } = await cluster.request('any', 'control', findCoordinatorV4.api, GROUP, [group])
  const [found] = coordinators
  if (found?.errorCode === 0) return found.nodeId
  const why = found ? brokerErrorName(found.errorCode) : 'no answer'
  throw new KpiError('KPI_KAFKA_REQUEST', `the group '${group}' has no coordinator at the moment: ${why}`)
}

/** Undefined when the broker does not support the consumer protocol, or the group does not use it. */
async function describeConsumerGroup(
  cluster: KafkaCluster,
  coordinator: number,
  group: string,
  topic: string,
): Promise<DescribedGroup | undefined> {
  const only = { minVersion: 0, maxVersion: 0 }
  if ((await cluster.apiVersion(coordinator, consumerGroupDescribeKey, only)) === undefined) return undefined
  try {
    const { groups } = await cluster.request(coordinator, 'control', consumerGroupDescribeV0.api, [group], false)
    const [found] = groups
    if (!found) return undefined
    const members = found.members.map(({ memberId, clientId, clientHost, assignment }): DescribedMember => {
      const own = assignment.topicPartitions.filter(({ topicName }) => topicName === topic)
      return {
        memberId,
        protocol: 'consumer',
        clientId,
        host: clientHost,
        partitions: own.flatMap(({ partitions }) => partitions),
      }
    })
    return { groupState: found.groupState, members }
  } catch (error) {
    if (brokerErrorOf(error) === 'GROUP_ID_NOT_FOUND') return undefined
    throw error
  }
}

/** Kafka describes a group that does not exist as a dead group without members. */
async function describeClassicGroup(
  cluster: KafkaCluster,
  coordinator: number,
  group: string,
  topic: string,
): Promise<DescribedGroup> {
  const { groups } = await cluster.request(coordinator, 'control', describeGroupsV5.api, [group], false)
  const [found] = groups
  if (!found) return { groupState: 'Dead', members: [] }
  const members = found.members.map(({ memberId, clientId, clientHost, memberAssignment }): DescribedMember => {
    const partitions = decodeAssignment(memberAssignment).get(topic) ?? []
    return { memberId, protocol: 'classic', clientId, host: clientHost, partitions }
  })
  return { groupState: found.groupState, members }
}
