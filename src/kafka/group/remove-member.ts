import { leaveGroupV4 } from '#kafka-protocol'
import { type GroupCoordinator, refusalError } from './group-coordinator.ts'

const alreadyGone: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND'])

/**
 * Leaves the group for a member of the classic protocol that does not do so itself; one that is alive after all joins again.
 *
 * @throws KpiError when the coordinator could not be asked, or refused.
 */
export async function removeMember(coordinator: GroupCoordinator, memberId: string): Promise<'removed' | 'gone'> {
  const { refusal } = await coordinator.ask({ purpose: 'control' }, leaveGroupV4.api, coordinator.group, [{ memberId }])
  if (!refusal) return 'removed'
  if (alreadyGone.has(refusal.name)) return 'gone'
  throw refusalError(coordinator.group, refusal)
}
