import { randomUUID } from 'node:crypto'
import { ConfigResourceTypes, consumerGroupHeartbeatV1, describeConfigsV4 } from '@platformatic/kafka'
import { KpiError, messageOf } from '../../errors.ts'
import { commitOffsets, commitRefused } from './group-commit.ts'
import { type Answer, type Refusal, refusalError } from './group-coordinator.ts'
import {
  heartbeatTimeoutMs,
  type Membership,
  type MembershipContext,
  maxHeartbeatIntervalMs,
  revocationMarginMs,
  type Step,
} from './group-membership.ts'
import { GroupSession } from './group-session.ts'

/**
 * A member of a KIP-848 group: the coordinator computes the assignments, and everything is one request, the heartbeat.
 *
 *   out      epoch 0: the next heartbeat joins, and tells all there is to tell;
 *   in       at the epoch the coordinator gave: heartbeats tell what changed, and bring a new target when there is one;
 *   moving   in, while the listener finishes with what is not in the target; heartbeats go on. When it is done, the
 *            rest of the target is taken and the next heartbeat tells what we have now: only then does the coordinator
 *            give a partition to somebody else.
 *
 * After a heartbeat without an answer nobody knows what the coordinator heard and we missed: the next one tells all
 * again, and so is answered with the whole assignment. The coordinator's word that it does not know us at this epoch
 * ends the membership, and so does a session timeout without any word of it. We then join again.
 */
type Heartbeat = Awaited<ReturnType<typeof consumerGroupHeartbeatV1.api.async>>
type Assignment = NonNullable<Heartbeat['assignment']>

const joiningEpoch = 0
const leavingEpoch = -1
const unchangedTimeout = -1

/** Kafka's default maximum (group.consumer.max.session.timeout.ms), assumed where we may not look. */
const assumedSessionTimeoutMs = 60_000

const unsupported: ReadonlySet<string> = new Set(['UNSUPPORTED_VERSION', 'GROUP_ID_NOT_FOUND'])
const fencing: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'])

export class ConsumerMembership implements Membership {
  readonly protocol = 'consumer'
  readonly #context: MembershipContext
  /** For life: a member that was fenced comes back under the same id. */
  readonly #memberId = randomUUID()
  readonly #session = new GroupSession(() => this.#lose('no heartbeat got through for a whole session'))
  #sessionTimeoutMs = assumedSessionTimeoutMs
  #spoke = false
  #epoch = joiningEpoch
  /** Counts memberships: what was begun in an earlier one no longer holds. */
  #life = 0
  #tellAll = true
  /** What the coordinator knows that we have. */
  #told = ''
  #topicId: string | undefined
  /** What the coordinator wants us to have; undefined once we have it. */
  #target: readonly number[] | undefined
  #moving = false

  constructor(context: MembershipContext) {
    this.#context = context
  }

  get state(): 'joining' | 'stable' | 'rebalancing' {
    if (this.#epoch === joiningEpoch) return 'joining'
    return this.#moving ? 'rebalancing' : 'stable'
  }

  async step(): Promise<Step> {
    const life = this.#life
    if (this.#epoch === joiningEpoch) this.#sessionTimeoutMs = await this.#readSessionTimeout()
    const sentAtMs = performance.now()
    const { refusal, response } = await this.#heartbeat()
    if (life !== this.#life) return { waitMs: 0 }
    if (refusal) return this.#refused(refusal)
    this.#session.renew(sentAtMs, this.#sessionTimeoutMs)
    this.#epoch = response.memberEpoch
    if (response.assignment) {
      const target = await this.#partitionsOf(response.assignment)
      if (life !== this.#life) return { waitMs: 0 }
      this.#target = target
    }
    this.#tellAll = false
    if (this.#target && !this.#moving) void this.#move()
    return { waitMs: Math.min(maxHeartbeatIntervalMs, response.heartbeatIntervalMs) }
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { coordinator, topic } = this.#context
    for (let again = true; ; again = false) {
      const epoch = this.#epoch
      if (epoch === joiningEpoch) throw commitRefused(coordinator.group, 'we are not a member at the moment')
      const commit = { topic, offsets, memberId: this.#memberId, epoch }
      const refusal = await commitOffsets(coordinator, this.protocol, commit)
      if (!refusal) return
      // The commit and a heartbeat that brought a new epoch have met on the way.
      if (!again || refusal.name !== 'STALE_MEMBER_EPOCH') throw commitRefused(coordinator.group, refusal.name)
    }
  }

  async leave(lastStep: Promise<void>, timeoutMs: number): Promise<void> {
    // A join that came in after the goodbye would make a member that nobody speaks for.
    await lastStep
    this.#session.end()
    if (this.#spoke) await this.#send(timeoutMs, { epoch: leavingEpoch })
  }

  async #heartbeat(): Promise<Answer<Heartbeat>> {
    const ours = this.#context.ownership.partitions
    const told = ours.join()
    const all = this.#tellAll
    const owned = ours.length > 0 ? [{ topicId: this.#topicId ?? '', partitions: [...ours] }] : []
    this.#spoke = true
    this.#tellAll = true
    const answer = await this.#send(heartbeatTimeoutMs(this.#sessionTimeoutMs), {
      epoch: this.#epoch,
      ...(all ? { topic: this.#context.topic } : {}),
      ...(all || told !== this.#told ? { owned } : {}),
    })
    if (!answer.refusal) this.#told = told
    return answer
  }

  #send(
    timeoutMs: number,
    what: { epoch: number; topic?: string; owned?: { topicId: string; partitions: number[] }[] },
  ): Promise<Answer<Heartbeat>> {
    const { coordinator, rebalanceTimeoutMs } = this.#context
    return coordinator.ask(
      { purpose: 'group', timeoutMs },
      consumerGroupHeartbeatV1.api,
      coordinator.group,
      this.#memberId,
      what.epoch,
      null, // no fixed instance id
      null, // no rack
      what.topic === undefined ? unchangedTimeout : rebalanceTimeoutMs + revocationMarginMs,
      what.topic === undefined ? null : [what.topic],
      null, // no pattern of topics
      null, // the broker's own assignor
      what.owned ?? null,
    )
  }

  #refused(refusal: Refusal): Step {
    const { coordinator } = this.#context
    const wasIn = this.#epoch !== joiningEpoch
    if (wasIn && (fencing.has(refusal.name) || unsupported.has(refusal.name))) {
      this.#lose(`the coordinator says ${refusal.name}`)
      return { waitMs: 0 }
    }
    if (unsupported.has(refusal.name)) return { refused: refusal }
    throw refusalError(coordinator.group, refusal)
  }

  /** Brings what we have to the target, which may change again on the way. */
  async #move(): Promise<void> {
    const { ownership, rebalanceTimeoutMs, wake } = this.#context
    const life = this.#life
    this.#moving = true
    for (let target = this.#target; target; target = this.#target) {
      const wanted = new Set(target)
      const leaving = ownership.partitions.filter((partition) => !wanted.has(partition))
      if (leaving.length > 0) await ownership.revoke(leaving, rebalanceTimeoutMs)
      if (life !== this.#life) return
      if (target !== this.#target) continue
      this.#target = undefined
      ownership.assign(target)
    }
    this.#moving = false
    if (ownership.partitions.join() !== this.#told) wake()
  }

  #lose(why: string): void {
    const { coordinator, ownership, log, wake } = this.#context
    const told = `the group '${coordinator.group}' went on without us: ${why}; joining it again`
    if (ownership.partitions.length > 0) log.warn(told)
    else log.debug(told)
    this.#session.end()
    this.#life += 1
    this.#epoch = joiningEpoch
    this.#tellAll = true
    this.#target = undefined
    this.#moving = false
    ownership.lose()
    wake()
  }

  /** Assignments name topics by id. */
  async #partitionsOf(assignment: Assignment): Promise<readonly number[]> {
    const { coordinator, ownership, topic } = this.#context
    const ids = assignment.topicPartitions.map(({ topicId }) => topicId)
    if (ids.some((id) => id !== this.#topicId)) {
      const { topicId } = await coordinator.cluster.topicMetadata(topic)
      // Created anew under its name: nothing of the old one is left to give up.
      if (topicId !== this.#topicId) ownership.lose()
      this.#topicId = topicId
    }
    const unknown = ids.find((id) => id !== this.#topicId)
    if (unknown !== undefined) {
      throw new KpiError('KPI_KAFKA_REQUEST', `the brokers disagree about the id of the topic '${topic}' at the moment`)
    }
    return assignment.topicPartitions.flatMap(({ partitions }) => partitions)
  }

  /** The coordinator does not tell it; it stands in the group's configuration. */
  async #readSessionTimeout(): Promise<number> {
    const { coordinator, log } = this.#context
    const name = 'consumer.session.timeout.ms'
    const resource = {
      resourceType: ConfigResourceTypes.GROUP,
      resourceName: coordinator.group,
      configurationKeys: [name],
    }
    try {
      const { cluster } = coordinator
      const answer = await cluster.request('any', 'control', describeConfigsV4.api, [resource], false, false)
      const value = Number(answer.results[0]?.configs.find((config) => config.name === name)?.value)
      if (value > 0) return value
    } catch (error) {
      log.debug(`the group's ${name} cannot be read (${messageOf(error)}): ${assumedSessionTimeoutMs} is assumed`)
    }
    return assumedSessionTimeoutMs
  }
}
