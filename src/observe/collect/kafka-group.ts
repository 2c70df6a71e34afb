import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import { describeGroup } from '../../kafka/group/describe-group.ts'
import type { GroupState } from '../snapshot.ts'

/** States of a rebalance: the first two in a classic group, the others in a group of the KIP-848 protocol. */
const rebalancing: ReadonlySet<string> = new Set([
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
])

/** Reads the group's state, its members, and the partitions of the topic that each consumes. */
export async function lookAtGroup(cluster: KafkaCluster, group: string, topic: string): Promise<GroupState> {
  const { groupState, members } = await describeGroup(cluster, group, topic)
  return {
    groupState,
    isRebalancing: rebalancing.has(groupState),
    members: members.map(({ clientId, host, partitions }) => ({ clientId, host, partitions })),
  }
}
