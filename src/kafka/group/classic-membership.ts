import { heartbeatV4, joinGroupV7, leaveGroupV4, syncGroupV5 } from '#kafka-protocol'
import { KpiError, messageOf } from '../../errors.ts'
import { commitOffsets, commitRefused } from './group-commit.ts'
import { type Refusal, refusalError } from './group-coordinator.ts'
import {
  heartbeatTimeoutMs,
  type MembershipContext,
  maxHeartbeatIntervalMs,
  revocationMarginMs,
  type Step,
} from './group-membership.ts'
import { GroupSession } from './group-session.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './group-subscription.ts'
import { assignRanges, type RangeMember } from './range-assignment.ts'

/**
 * Membership in a group of the classic protocol: one member, the leader, computes the assignments. Rebalances are eager
 * and use the `range` assignor that other clients have too: each generation starts with no partitions assigned.
 *
 * - joining: has requested to be in the next generation; the broker answers when all other members have joined too;
 * - syncing: the leader sends the assignments, all other members wait for theirs;
 * - stable: owns its partitions and sends heartbeats;
 * - revoking: a rebalance has started. The member still owns its partitions while the listener finishes, and sends
 *   heartbeats. Then joining.
 *
 * In each phase the membership ends when the broker does not know the member or its generation, or when the session
 * times out without an answer. The leader checks for new partitions, and starts a rebalance when there are some.
 */
type Phase = 'joining' | 'syncing' | 'stable' | 'revoking'

interface Generation {
  readonly id: number
  /** The members to which the leader assigns partitions; undefined in all other members. */
  readonly members: readonly RangeMember[] | undefined
}

const protocolType = 'consumer'
const assignor = 'range'
const noGeneration: Generation = { id: -1, members: undefined }

const unsupported: ReadonlySet<string> = new Set([
  'INCONSISTENT_GROUP_PROTOCOL',
  'GROUP_ID_NOT_FOUND',
  'UNSUPPORTED_VERSION',
])
const fencing: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'])

export class ClassicMembership {
  readonly #context: MembershipContext
  readonly #session = new GroupSession(() => this.#lose('no heartbeat got through for a whole session'))
  #phase: Phase = 'joining'
  /** Assigned by the broker before the member joins. */
  #memberId = ''
  #generation = noGeneration
  /** Counts memberships: an operation started in an earlier membership is obsolete. */
  #life = 0
  /** The partition counts for which the leader computed the assignments. */
  #partitionCounts: ReadonlyMap<string, number> = new Map()
  #looksAtMs = 0
  #looking = false

  constructor(context: MembershipContext) {
    this.#context = context
  }

  get state(): 'joining' | 'stable' | 'rebalancing' {
    if (this.#generation === noGeneration) return 'joining'
    return this.#phase === 'stable' ? 'stable' : 'rebalancing'
  }

  /**
   * Sends the next request to the coordinator. The caller drives the steps, so that nothing is sent after the end.
   *
   * @throws KpiError when the request failed. A retryable error does not affect the membership: the step is repeated.
   */
  step(): Promise<Step> {
    if (this.#phase === 'joining') return this.#join()
    if (this.#phase === 'syncing') return this.#sync()
    return this.#heartbeat()
  }

  /** @throws KpiError when the coordinator refuses the offsets or cannot be reached. */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { coordinator, topic } = this.#context
    if (this.#generation === noGeneration) {
      throw commitRefused(coordinator.group, 'we are not a member at the moment')
    }
    const commit = { topic, offsets, memberId: this.#memberId, generation: this.#generation.id }
    const refusal = await commitOffsets(coordinator, commit)
    if (refusal) throw commitRefused(coordinator.group, refusal.name)
  }

  /**
   * Sends LeaveGroup to the coordinator. The caller runs no more steps; `lastStep` resolves when the current one has
   * ended.
   *
   * @throws KpiError when the coordinator could not be reached.
   */
  async leave(lastStep: Promise<void>, timeoutMs: number): Promise<void> {
    this.#session.end()
    // The broker may be about to assign a member id, and would then wait for a member that has already left.
    if (this.#memberId === '') await lastStep
    if (this.#memberId === '') return
    const { coordinator } = this.#context
    // While the broker holds back a join, every later request on the same connection waits. This one uses another
    // connection.
    const options = { purpose: 'control', timeoutMs } as const
    await coordinator.ask(options, leaveGroupV4.api, coordinator.group, [{ memberId: this.#memberId }])
  }

  async #join(): Promise<Step> {
    const { coordinator, topic, sessionTimeoutMs, rebalanceTimeoutMs } = this.#context
    const protocols = [{ name: assignor, metadata: encodeSubscription([topic]) }]
    const { refusal, response } = await coordinator.ask(
      { purpose: 'group' },
      joinGroupV7.api,
      coordinator.group,
      sessionTimeoutMs,
      rebalanceTimeoutMs + revocationMarginMs,
      this.#memberId,
      null, // no fixed instance id
      protocolType,
      protocols,
      null,
    )
    if (refusal?.name === 'MEMBER_ID_REQUIRED' && response) {
      this.#memberId = response.memberId
      return { waitMs: 0 }
    }
    if (refusal) return this.#refused(refusal)
    this.#memberId = response.memberId
    const leads = response.leader === response.memberId
    const members = response.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      instanceId: groupInstanceId ?? undefined,
      topics: decodeSubscription(metadata),
    }))
    this.#generation = { id: response.generationId, members: leads ? members : undefined }
    this.#phase = 'syncing'
    return { waitMs: 0 }
  }

  async #sync(): Promise<Step> {
    const { coordinator, ownership, topic, sessionTimeoutMs, metadataIntervalMs } = this.#context
    const { id, members } = this.#generation
    const { refusal, response } = await coordinator.ask(
      { purpose: 'group' },
      syncGroupV5.api,
      coordinator.group,
      id,
      this.#memberId,
      null,
      protocolType,
      assignor,
      members ? await this.#assignmentsFor(members) : [],
    )
    if (refusal) return this.#refused(refusal)
    // The broker's session starts when it answers, and it may have held its answer back for long. The heartbeat that
    // follows at once confirms the session.
    this.#session.renew(performance.now(), sessionTimeoutMs)
    this.#looksAtMs = performance.now() + metadataIntervalMs
    this.#phase = 'stable'
    ownership.assign(decodeAssignment(response.assignment).get(topic) ?? [])
    return { waitMs: 0 }
  }

  async #heartbeat(): Promise<Step> {
    const { coordinator, sessionTimeoutMs } = this.#context
    const life = this.#life
    const sentAtMs = performance.now()
    const { refusal } = await coordinator.ask(
      { purpose: 'group', timeoutMs: heartbeatTimeoutMs(sessionTimeoutMs) },
      heartbeatV4.api,
      coordinator.group,
      this.#generation.id,
      this.#memberId,
      null,
    )
    if (life !== this.#life) return { waitMs: 0 }
    const due = refusal?.name === 'REBALANCE_IN_PROGRESS'
    if (refusal && !due) return this.#refused(refusal)
    this.#session.renew(sentAtMs, sessionTimeoutMs)
    if (due) this.#startRevoking()
    return { waitMs: this.#waitMs() }
  }

  #waitMs(): number {
    const intervalMs = Math.min(maxHeartbeatIntervalMs, this.#context.sessionTimeoutMs / 3)
    if (this.#phase !== 'stable' || !this.#generation.members) return intervalMs
    const untilLookMs = this.#looksAtMs - performance.now()
    if (untilLookMs <= 0 && !this.#looking) void this.#lookForPartitions(this.#generation.members)
    return untilLookMs > 0 ? Math.min(intervalMs, untilLookMs) : intervalMs
  }

  #refused(refusal: Refusal): Step {
    const { coordinator } = this.#context
    if (refusal.name === 'REBALANCE_IN_PROGRESS') {
      this.#phase = 'joining'
      return { waitMs: 0 }
    }
    if (fencing.has(refusal.name) && this.#memberId !== '') {
      if (refusal.name === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
      this.#lose(`the coordinator says ${refusal.name}`)
      return { waitMs: 0 }
    }
    if (unsupported.has(refusal.name)) {
      this.#lose(`the coordinator says ${refusal.name}`)
      return { refused: refusal }
    }
    throw refusalError(coordinator.group, refusal)
  }

  #startRevoking(): void {
    if (this.#phase === 'stable') void this.#revoke()
  }

  async #revoke(): Promise<void> {
    const { ownership, rebalanceTimeoutMs, wake } = this.#context
    const life = this.#life
    this.#phase = 'revoking'
    await ownership.revoke(ownership.partitions, rebalanceTimeoutMs)
    if (life !== this.#life) return
    this.#session.end()
    this.#phase = 'joining'
    wake()
  }

  #lose(why: string): void {
    const { coordinator, ownership, log, wake } = this.#context
    const told = `the group '${coordinator.group}' has removed this member: ${why}; joining it again`
    if (ownership.partitions.length > 0) log.warn(told)
    else log.debug(told)
    this.#session.end()
    this.#life += 1
    this.#phase = 'joining'
    this.#generation = noGeneration
    ownership.lose()
    wake()
  }

  async #assignmentsFor(members: readonly RangeMember[]): Promise<{ memberId: string; assignment: Buffer }[]> {
    this.#partitionCounts = await this.#countPartitions(members)
    return [...assignRanges(members, this.#partitionCounts)].map(([memberId, assignment]) => ({
      memberId,
      assignment: encodeAssignment(assignment),
    }))
  }

  async #lookForPartitions(members: readonly RangeMember[]): Promise<void> {
    const { coordinator, log, metadataIntervalMs } = this.#context
    const generation = this.#generation
    this.#looking = true
    try {
      const counts = await this.#countPartitions(members)
      if (generation !== this.#generation) return
      const changed = [...counts].some(([topic, count]) => count !== this.#partitionCounts.get(topic))
      if (!changed) return
      log.info(`the number of partitions has changed: the group '${coordinator.group}' shares them out again`)
      this.#startRevoking()
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      log.debug(`the number of partitions cannot be read: ${messageOf(error)}`)
    } finally {
      this.#looking = false
      this.#looksAtMs = performance.now() + metadataIntervalMs
    }
  }

  /** Other members may subscribe to other topics. */
  async #countPartitions(members: readonly RangeMember[]): Promise<Map<string, number>> {
    const { cluster } = this.#context.coordinator
    const counts = new Map<string, number>()
    for (const topic of new Set(members.flatMap((member) => member.topics))) {
      const count = await cluster.topicMetadata(topic).then(
        (metadata) => metadata.partitions.length,
        (error: unknown) => {
          if (error instanceof KpiError && error.code === 'KPI_TOPIC_MISSING') return 0
          throw error
        },
      )
      counts.set(topic, count)
    }
    return counts
  }
}
