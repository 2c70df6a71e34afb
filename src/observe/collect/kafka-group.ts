import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import { describeGroup } from '../../kafka/group/describe-group.ts'
import type { GroupState } from '../snapshot.ts'

/** Of a classic group, and of one of KIP-848. */
const rebalancing: ReadonlySet<string> = new Set([
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
])

/** The group's members and what each consumes of the topic. */
export async function lookAtGroup(cluster: KafkaCluster, group: string, topic: string): Promise<GroupState> {
  const { groupState, members } = await describeGroup(cluster, group, topic)
  return {
    groupState,
    isRebalancing: rebalancing.has(groupState),
    members: members.map(({ clientId, host, partitions }) => ({ clientId, host, partitions })),
  }
}
