import { consumerGroupHeartbeatV1 } from '@platformatic/kafka'
import { assert, KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { KafkaCluster } from '../client/cluster.ts'
import { kafkaError } from '../client/errors.ts'
import { ClassicMembership } from './classic-membership.ts'
import { ConsumerMembership } from './consumer-membership.ts'
import { commitRefused } from './group-commit.ts'
import { GroupCoordinator, type Refusal, refusalError } from './group-coordinator.ts'
import type { GroupProtocol, Membership, MembershipContext, Step } from './group-membership.ts'
import { type GroupListener, GroupOwnership } from './group-ownership.ts'

export type { GroupProtocol } from './group-membership.ts'
export type { GroupListener } from './group-ownership.ts'

/**
 * Membership in a consumer group: which of a topic's partitions are ours.
 *
 * A loop drives a membership of one of the two protocols, a step at a time, and survives what may pass: while the
 * coordinator cannot be reached, restarts or moves, the member keeps what it has and asks again with growing waits.
 *   joining      not in the group, or not in yet;
 *   stable       in;
 *   rebalancing  in, while the listener finishes with partitions that go;
 *   stopped      by `stop()` or for good by a fatal refusal.
 * Partitions are lost only when the coordinator says that it no longer knows us, or when it had no word from us for a
 * whole session.
 */
export type GroupState = 'joining' | 'stable' | 'rebalancing' | 'stopped'

export interface GroupMemberOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly group: string
  /** `auto`: KIP-848 where the coordinator's broker has it and the group takes it, else classic. */
  readonly protocol: 'auto' | GroupProtocol
  readonly listener: GroupListener
  readonly log: Logger
  /**
   * Classic only: after so long without a word from us the broker gives our partitions away. In the other protocol the
   * group's `consumer.session.timeout.ms` holds.
   *
   * @defaultValue 45000
   */
  readonly sessionTimeoutMs?: number
  /** How long a revocation may take. @defaultValue 30000 */
  readonly rebalanceTimeoutMs?: number
  /** Classic only: how often the leader looks for new partitions. @defaultValue 10000 */
  readonly metadataIntervalMs?: number
}

/** The first version whose members name themselves; it came with Kafka 4.0, which declared the protocol finished. */
const heartbeatVersions = { minVersion: 1, maxVersion: 1 }
const retryBackoff = { firstMs: 100, capMs: 2000 }
/** A group may change its kind between our two tries, but not for ever. */
const maxRefusals = 6

export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #coordinator: GroupCoordinator
  readonly #ownership: GroupOwnership
  readonly #backoff = new Backoff(retryBackoff)
  #membership: Membership | undefined
  #running: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #ended = false
  #lastStep: Promise<void> = Promise.resolve()
  /** Refusals in a row. */
  #refusals: { readonly protocol: GroupProtocol; readonly refusal: Refusal }[] = []
  #resting: AbortController | undefined
  #awake = false
  #complaining = false

  constructor(options: GroupMemberOptions) {
    this.#options = options
    this.#coordinator = new GroupCoordinator(options.cluster, options.group)
    this.#ownership = new GroupOwnership(options.listener, options.log)
  }

  /** Joins in the background, and stays a member, over all failures that may pass. */
  start(): void {
    assert(!this.#running, 'a group member is started once')
    this.#running = this.#run()
  }

  get state(): GroupState {
    if (this.#ended) return 'stopped'
    return this.#membership?.state ?? 'joining'
  }

  /** What is ours now, in order. */
  get partitions(): readonly number[] {
    return this.#ownership.partitions
  }

  /** Undefined until the group has let us in. */
  get protocol(): GroupProtocol | undefined {
    return this.state === 'joining' ? undefined : this.#membership?.protocol
  }

  /**
   * Commits offsets to Kafka, for other tools; callers treat it as best effort.
   *
   * @param offsets By partition, the offset to read next.
   * @throws KpiError whatever went wrong, being between two generations of the group included.
   */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    if (offsets.size === 0) return
    if (!this.#membership) throw commitRefused(this.#options.group, 'we are not a member at the moment')
    await this.#membership.commit(offsets)
  }

  /**
   * Leaves the group, so that others take over at once; gives up after the deadline. The caller has finished its work:
   * the listener hears nothing any more.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#leave(deadlineMs)
    return this.#stopping
  }

  async #leave(deadlineMs: number): Promise<void> {
    this.#ended = true
    this.#ownership.end()
    this.#wake()
    const overdue = new AbortController()
    const deadline = pause(deadlineMs, overdue.signal)
    await Promise.race([deadline, this.#sayGoodbye(deadlineMs).then(() => this.#running)])
    overdue.abort()
  }

  async #sayGoodbye(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs
    const backoff = new Backoff(retryBackoff)
    while (this.#membership && performance.now() < until) {
      try {
        return await this.#membership.leave(this.#lastStep, until - performance.now())
      } catch (error) {
        if (!(error instanceof KpiError)) throw error
        this.#options.log.debug(`leaving the group '${this.#options.group}' did not work: ${messageOf(error)}`)
        if (!error.retryable) return
        await pause(backoff.nextMs())
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      try {
        this.#membership ??= await this.#choose()
        if (this.#ended) return
        const step = await this.#step(this.#membership)
        if (step.refused) this.#tryTheOther(this.#membership.protocol, step.refused)
        await this.#rest(step.waitMs ?? this.#backoff.nextMs())
      } catch (error) {
        if (!(error instanceof KpiError)) throw error
        if (this.#ended) return
        if (!error.retryable) return this.#fail(error)
        this.#complain(error)
        await this.#rest(this.#backoff.nextMs())
      }
    }
  }

  async #step(membership: Membership): Promise<Step> {
    const before = membership.state
    const step = membership.step()
    this.#lastStep = step.then(
      () => undefined,
      () => undefined,
    )
    const done = await step
    if (!done.refused) this.#backoff.reset()
    if (before === 'joining' && membership.state !== 'joining') this.#admitted(membership.protocol)
    if (this.#complaining) this.#options.log.info(`the coordinator of the group '${this.#options.group}' answers again`)
    this.#complaining = false
    return done
  }

  #admitted(protocol: GroupProtocol): void {
    this.#refusals = []
    this.#options.log.info(`in the group '${this.#options.group}' by the ${protocol} protocol`)
  }

  async #choose(): Promise<Membership> {
    const protocol = await this.#chooseProtocol()
    const { topic, log, sessionTimeoutMs, rebalanceTimeoutMs, metadataIntervalMs } = this.#options
    const context: MembershipContext = {
      coordinator: this.#coordinator,
      ownership: this.#ownership,
      topic,
      log,
      sessionTimeoutMs: sessionTimeoutMs ?? 45_000,
      rebalanceTimeoutMs: rebalanceTimeoutMs ?? 30_000,
      metadataIntervalMs: metadataIntervalMs ?? 10_000,
      wake: () => this.#wake(),
    }
    return protocol === 'consumer' ? new ConsumerMembership(context) : new ClassicMembership(context)
  }

  async #chooseProtocol(): Promise<GroupProtocol> {
    const { protocol, cluster } = this.#options
    if (protocol === 'classic') return protocol
    const nodeId = await this.#coordinator.find('group')
    const { key } = consumerGroupHeartbeatV1.api
    const spoken = await cluster.apiVersion(nodeId, key, heartbeatVersions).catch((error: unknown) => {
      throw kafkaError(error, `broker ${nodeId}`)
    })
    if (spoken === undefined) {
      if (protocol === 'auto') return 'classic'
      const detail = `broker ${nodeId} does not speak the consumer protocol, KIP-848, of Kafka 4.0`
      throw refusalError(this.#options.group, { name: 'UNSUPPORTED_VERSION', detail })
    }
    const last = this.#refusals.at(-1)
    return protocol === 'auto' && last?.protocol === 'consumer' ? 'classic' : 'consumer'
  }

  /** The group is of the other kind, and not of one that Kafka converts while members are in it. */
  #tryTheOther(protocol: GroupProtocol, refusal: Refusal): void {
    const { group, log } = this.#options
    this.#membership = undefined
    this.#refusals.push({ protocol, refusal })
    if (this.#options.protocol !== 'auto') throw refusalError(group, refusal)
    if (this.#refusals.length >= maxRefusals) {
      throw refusalError(group, ...this.#refusals.slice(-2).map((entry) => entry.refusal))
    }
    log.debug(`the group '${group}' takes no members of the ${protocol} protocol: ${refusal.detail ?? refusal.name}`)
  }

  #fail(error: KpiError): void {
    this.#ownership.lose()
    this.#ownership.end()
    this.#ended = true
    this.#options.listener.fatal(error)
  }

  #complain(error: KpiError): void {
    if (this.#complaining || this.#backoff.attempt < 2) return
    this.#options.log.warn(`${messageOf(error)}; the group is asked again until it works`)
    this.#complaining = true
  }

  async #rest(ms: number): Promise<void> {
    if (!this.#awake && !this.#ended) {
      this.#resting = new AbortController()
      await pause(ms, this.#resting.signal)
    }
    this.#awake = false
  }

  #wake(): void {
    this.#awake = true
    this.#resting?.abort()
  }
}
