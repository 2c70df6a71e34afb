import { consumerGroupHeartbeatV1, leaveGroupV4 } from '@platformatic/kafka'
import { type GroupCoordinator, refusalError } from './group-coordinator.ts'
import type { MemberIdentity } from './group-membership.ts'

const leavingEpoch = -1
const unchangedTimeout = -1
const alreadyGone: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND'])

/**
 * Says goodbye to the coordinator for a member that does not do so itself; one that lives after all joins again.
 *
 * @throws KpiError when the coordinator could not be told.
 */
export async function removeMember(coordinator: GroupCoordinator, member: MemberIdentity): Promise<'removed' | 'gone'> {
  const { refusal } = await sayGoodbye(coordinator, member)
  if (!refusal) return 'removed'
  if (alreadyGone.has(refusal.name)) return 'gone'
  throw refusalError(coordinator.group, refusal)
}

function sayGoodbye(coordinator: GroupCoordinator, { protocol, memberId }: MemberIdentity) {
  const options = { purpose: 'control' } as const
  const { group } = coordinator
  if (protocol === 'classic') return coordinator.ask(options, leaveGroupV4.api, group, [{ memberId }])
  return coordinator.ask(
    options,
    consumerGroupHeartbeatV1.api,
    group,
    memberId,
    leavingEpoch,
    null, // no fixed instance id
    null, // no rack
    unchangedTimeout,
    null, // the topic is known
    null, // no pattern of topics
    null, // the broker's own assignor
    null, // nothing new about what it owns
  )
}
