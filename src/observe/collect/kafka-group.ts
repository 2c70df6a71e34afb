import {
  consumerGroupDescribeV0,
  describeGroupsV5,
  FindCoordinatorKeyTypes,
  findCoordinatorV4,
} from '@platformatic/kafka'
import { KpiError } from '../../errors.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import { brokerErrorName, brokerErrorOf, kafkaError } from '../../kafka/errors.ts'
import { decodeAssignment } from '../../kafka/group-subscription.ts'
import type { GroupMemberState, GroupState } from '../snapshot.ts'

/** Of a classic group, and of one of KIP-848. */
const rebalancing: ReadonlySet<string> = new Set([
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
])

const consumerGroupDescribeKey = 69

/** The group's members and what each consumes of the topic, whichever of the two protocols they speak. */
export async function lookAtGroup(cluster: KafkaCluster, group: string, topic: string): Promise<GroupState> {
  try {
    const coordinator = await findCoordinator(cluster, group)
    const { groupState, members } =
      (await describeConsumerGroup(cluster, coordinator, group, topic)) ??
      (await describeClassicGroup(cluster, coordinator, group, topic))
    return { groupState, isRebalancing: rebalancing.has(groupState), members }
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

type Described = Pick<GroupState, 'groupState' | 'members'>

/** Undefined when the broker does not know the protocol, or the group does not speak it. */
async function describeConsumerGroup(
  cluster: KafkaCluster,
  coordinator: number,
  group: string,
  topic: string,
): Promise<Described | undefined> {
  const only = { minVersion: 0, maxVersion: 0 }
  if ((await cluster.apiVersion(coordinator, consumerGroupDescribeKey, only)) === undefined) return undefined
  try {
    const { groups } = await cluster.request(coordinator, 'control', consumerGroupDescribeV0.api, [group], false)
    const [found] = groups
    if (!found) return undefined
    const members = found.members.map(({ clientId, clientHost, assignment }): GroupMemberState => {
      const own = assignment.topicPartitions.filter(({ topicName }) => topicName === topic)
      return { clientId, host: clientHost, partitions: own.flatMap(({ partitions }) => partitions) }
    })
    return { groupState: found.groupState, members }
  } catch (error) {
    if (brokerErrorOf(error) === 'GROUP_ID_NOT_FOUND') return undefined
    throw error
  }
}

/** A group that is not there is a dead one without members, in the broker's words too. */
async function describeClassicGroup(
  cluster: KafkaCluster,
  coordinator: number,
  group: string,
  topic: string,
): Promise<Described> {
  const { groups } = await cluster.request(coordinator, 'control', describeGroupsV5.api, [group], false)
  const [found] = groups
  if (!found) return { groupState: 'Dead', members: [] }
  const members = found.members.map(({ clientId, clientHost, memberAssignment }): GroupMemberState => {
    const partitions = decodeAssignment(memberAssignment).get(topic) ?? []
    return { clientId, host: clientHost, partitions }
  })
  return { groupState: found.groupState, members }
}
