import { KpiError, messageOf } from '../errors.ts'
import type { KafkaCluster } from '../kafka/client/cluster.ts'
import { describeGroup } from '../kafka/group/describe-group.ts'
import { GroupCoordinator } from '../kafka/group/group-coordinator.ts'
import type { MemberIdentity } from '../kafka/group/group-membership.ts'
import { resetGroup } from '../kafka/group/reset-group.ts'
import type { Logger } from '../log.ts'
import type { Clock } from '../runtime/clock.ts'
import { lookAgain } from './polling.ts'

/** A group as its coordinator tells of it. */
export interface GroupObservation {
  readonly epochs: { readonly group: number; readonly assignment: number }
  readonly members: readonly MemberIdentity[]
  /** Partitions of the topic that no member has. */
  readonly idle: readonly number[]
}

/** What it needs of the world. All that fails throws {@link KpiError}. */
export interface StuckGroupPorts {
  /** Undefined where the protocol of the group leaves assignments to its members. */
  look(): Promise<GroupObservation | undefined>
  /** Sends these members away and deletes the group. */
  resetGroup(members: readonly MemberIdentity[]): Promise<void>
}

/** The way to a real group. */
export function connectStuckGroupPorts(around: {
  readonly cluster: KafkaCluster
  readonly group: string
  readonly topic: string
}): StuckGroupPorts {
  const { cluster, group, topic } = around
  const coordinator = new GroupCoordinator(cluster, group)
  return {
    look: async () => {
      const { epochs, members } = await describeGroup(cluster, group, topic)
      if (epochs === undefined) return undefined
      const { partitions } = await cluster.topicMetadata(topic)
      const had = new Set(members.flatMap((member) => member.partitions))
      const idle = partitions.map(({ partition }) => partition).filter((partition) => !had.has(partition))
      return { epochs, members: members.map(({ identity }) => identity), idle }
    },
    resetGroup: (members) => resetGroup(coordinator, members),
  }
}

/** Longer than a member may take to hand partitions over: 30 s, and what the coordinator grants on top. */
const idleAfterSeconds = 45
const checkIntervalMs = 10_000

/**
 * Begins the group anew when its coordinator gives partitions to nobody. One that was killed while it loaded its groups
 * may do so for hours (seen with Kafka 4.4.0): it loads them twice, and holds an assignment of a later epoch than the
 * group's for the newest, or partitions for owned that no member has. Nothing is lost by it: positions are in
 * PostgreSQL, and the offsets in Kafka are written again.
 */
export class StuckGroup {
  readonly #ports: StuckGroupPorts
  readonly #clock: Clock
  readonly #log: Logger
  readonly #idleAfterSeconds: number
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  /** Since when some partition or other was idle, at this epoch of the group. */
  #idle: { readonly sinceMs: number; readonly epoch: number } | undefined
  /** Looks in a row at which the epochs contradicted each other. */
  #contradictions = 0

  /** @param surroundings.idleAfterSeconds - @defaultValue 45 */
  constructor(
    ports: StuckGroupPorts,
    surroundings: { readonly clock: Clock; readonly log: Logger; readonly idleAfterSeconds?: number },
  ) {
    this.#ports = ports
    this.#clock = surroundings.clock
    this.#log = surroundings.log
    this.#idleAfterSeconds = surroundings.idleAfterSeconds ?? idleAfterSeconds
  }

  start(): void {
    const intervalMs = Math.min(checkIntervalMs, this.#idleAfterSeconds * 500)
    this.#running ??= lookAgain(this.#clock, intervalMs, this.#stopping.signal, () => this.#look())
  }

  /** Begins nothing more; what is under way ends with its connections. Idempotent. */
  stop(): void {
    this.#stopping.abort()
  }

  async #look(): Promise<void> {
    try {
      const found = await this.#ports.look()
      const why = found && found.members.length > 0 ? this.#judge(found) : this.#forget()
      if (found && why !== undefined && !this.#stopping.signal.aborted) await this.#resetGroup(found.members, why)
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      this.#forget()
      this.#log.debug(`whether the group is stuck is not known for now: ${messageOf(error)}`)
    }
  }

  async #resetGroup(members: readonly MemberIdentity[], why: string): Promise<void> {
    this.#forget()
    try {
      await this.#ports.resetGroup(members)
      this.#log.warn(`${why}: its members were sent away, and it begins anew`)
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      this.#log.warn(`${why}, and cannot begin anew for now: ${error.message}`)
    }
  }

  /** Why the group is stuck; undefined when it is not, or not for long. */
  #judge({ epochs, idle }: GroupObservation): string | undefined {
    const nowMs = this.#clock.now()
    this.#contradictions = epochs.assignment > epochs.group ? this.#contradictions + 1 : 0
    if (idle.length === 0) this.#idle = undefined
    else if (this.#idle?.epoch !== epochs.group) this.#idle = { sinceMs: nowMs, epoch: epochs.group }
    if (this.#contradictions > 1) {
      return `the group is at epoch ${epochs.group}, with an assignment of epoch ${epochs.assignment}`
    }
    const idleSeconds = this.#idle ? (nowMs - this.#idle.sinceMs) / 1000 : 0
    if (idleSeconds < this.#idleAfterSeconds) return undefined
    return `the group has given partitions ${idle.join(', ')} to nobody for ${Math.round(idleSeconds)} s`
  }

  #forget(): undefined {
    this.#idle = undefined
    this.#contradictions = 0
  }
}
