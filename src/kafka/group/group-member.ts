import { assert, KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { pause, within } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { KafkaCluster } from '../client/cluster.ts'
import { ClassicMembership } from './classic-membership.ts'
import { commitRefused } from './group-commit.ts'
import { GroupCoordinator, type Refusal, refusalError } from './group-coordinator.ts'
import type { Step } from './group-membership.ts'
import { type GroupListener, GroupOwnership } from './group-ownership.ts'

export type { GroupListener } from './group-ownership.ts'

/**
 * A member of a consumer group, which owns some of a topic's partitions.
 *
 * A loop runs the steps of a membership of the classic protocol (decision 30) and survives transient failures: while
 * the coordinator is unreachable, restarts or moves, the member keeps its partitions and retries with growing delays.
 * - joining: not in the group, or not yet;
 * - stable: in the group;
 * - rebalancing: in the group, while the listener finishes with revoked partitions;
 * - stopped: by `stop()`, or permanently by a fatal refusal.
 *
 * Partitions are lost only when the coordinator reports that it no longer knows the member, or when the member could
 * not reach it for a whole session timeout.
 */
export type GroupState = 'joining' | 'stable' | 'rebalancing' | 'stopped'

export interface GroupMemberOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly group: string
  readonly listener: GroupListener
  readonly log: Logger
  /**
   * After this time without a heartbeat the broker reassigns the member's partitions.
   *
   * @defaultValue 45000
   */
  readonly sessionTimeoutMs?: number
  /** The maximum duration of a revocation. @defaultValue 30000 */
  readonly rebalanceTimeoutMs?: number
  /** How often the leader of the group checks for new partitions. @defaultValue 10000 */
  readonly metadataIntervalMs?: number
}

const retryBackoff = { firstMs: 100, capMs: 2000 }
/**
 * Kafka may convert a group, or delete an empty one, between two attempts. This many refusals in a row are permanent.
 */
const maxRefusals = 6

export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #coordinator: GroupCoordinator
  readonly #ownership: GroupOwnership
  readonly #backoff = new Backoff(retryBackoff)
  #membership: ClassicMembership | undefined
  #running: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #ended = false
  #lastStep: Promise<void> = Promise.resolve()
  /** Consecutive refusals. */
  #refusals = 0
  #resting: AbortController | undefined
  #awake = false
  #complaining = false

  constructor(options: GroupMemberOptions) {
    this.#options = options
    this.#coordinator = new GroupCoordinator(options.cluster, options.group)
    this.#ownership = new GroupOwnership(options.listener, options.log)
  }

  /** Joins in the background, and stays a member through all transient failures. */
  start(): void {
    assert(!this.#running, 'a group member is started once')
    this.#running = this.#run()
  }

  get state(): GroupState {
    if (this.#ended) return 'stopped'
    return this.#membership?.state ?? 'joining'
  }

  /** The partitions that this member owns, in order. */
  get partitions(): readonly number[] {
    return this.#ownership.partitions
  }

  /**
   * Commits offsets to Kafka for other tools; callers treat it as best effort.
   *
   * @param offsets By partition, the offset to read next.
   * @throws KpiError for any failure, also during a rebalance.
   */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    if (offsets.size === 0) return
    if (!this.#membership) throw commitRefused(this.#options.group, 'we are not a member at the moment')
    await this.#membership.commit(offsets)
  }

  /**
   * Leaves the group, so that other members take over at once; gives up after the deadline. The caller has finished its
   * work: the listener is not called any more.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#leave(deadlineMs)
    return this.#stopping
  }

  async #leave(deadlineMs: number): Promise<void> {
    this.#ended = true
    this.#ownership.end()
    this.#wake()
    await within(
      deadlineMs,
      this.#sayGoodbye(deadlineMs).then(() => this.#running),
    )
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
        this.#membership ??= this.#newMembership()
        if (this.#ended) return
        const step = await this.#step(this.#membership)
        if (step.refused) this.#refused(step.refused)
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

  async #step(membership: ClassicMembership): Promise<Step> {
    const before = membership.state
    const step = membership.step()
    this.#lastStep = step.then(
      () => undefined,
      () => undefined,
    )
    const done = await step
    if (!done.refused) this.#backoff.reset()
    if (before === 'joining' && membership.state !== 'joining') this.#admitted()
    if (this.#complaining) this.#options.log.info(`the coordinator of the group '${this.#options.group}' answers again`)
    this.#complaining = false
    return done
  }

  #admitted(): void {
    this.#refusals = 0
    this.#options.log.info(`joined the group '${this.#options.group}'`)
  }

  #newMembership(): ClassicMembership {
    const { topic, log, sessionTimeoutMs, rebalanceTimeoutMs, metadataIntervalMs } = this.#options
    return new ClassicMembership({
      coordinator: this.#coordinator,
      ownership: this.#ownership,
      topic,
      log,
      sessionTimeoutMs: sessionTimeoutMs ?? 45_000,
      rebalanceTimeoutMs: rebalanceTimeoutMs ?? 30_000,
      metadataIntervalMs: metadataIntervalMs ?? 10_000,
      wake: () => this.#wake(),
    })
  }

  /** The group does not accept this member: temporarily, or until the group is changed. */
  #refused(refusal: Refusal): void {
    const { group, log } = this.#options
    this.#membership = undefined
    this.#refusals += 1
    if (this.#refusals >= maxRefusals) throw refusalError(group, refusal)
    log.debug(`the group '${group}' does not accept this worker: ${refusal.detail ?? refusal.name}`)
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
