import { deleteGroupsV2 } from '@platformatic/kafka'
import { KpiError } from '../../errors.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { MemberIdentity } from './group-membership.ts'
import { removeMember } from './remove-member.ts'

/**
 * Sends all members away and deletes the group, so that the coordinator forgets what it holds of it, offsets included.
 * Members that live join anew, and make the group with it.
 *
 * @throws KpiError when the coordinator cannot be asked, or does not do it; some members may be gone then.
 */
export async function resetGroup(coordinator: GroupCoordinator, members: readonly MemberIdentity[]): Promise<void> {
  for (const member of members) await removeMember(coordinator, member)
  const { group } = coordinator
  const { refusal } = await coordinator.ask({ purpose: 'control' }, deleteGroupsV2.api, [group])
  if (refusal && refusal.name !== 'GROUP_ID_NOT_FOUND') {
    throw new KpiError('KPI_KAFKA_REQUEST', `the group '${group}' cannot be deleted: ${refusal.name}`)
  }
}
