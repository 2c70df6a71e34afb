import { leaveGroupV4 } from '#kafka-protocol'
import { type GroupCoordinator, refusalError } from './group-coordinator.ts'

const alreadyGone: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND'])

/**
 * Removes a member of the classic protocol that does not leave by itself. If it is alive after all, it joins again.
 *
 * @throws KpiError when the coordinator could not be reached, or refused.
 */
export async function removeMember(coordinator: GroupCoordinator, memberId: string): Promise<'removed' | 'gone'> {
  const { refusal } = await coordinator.ask({ purpose: 'control' }, leaveGroupV4.api, coordinator.group, [{ memberId }])
  if (!refusal) return 'removed'
  if (alreadyGone.has(refusal.name)) return 'gone'
  throw refusalError(coordinator.group, refusal)
}
