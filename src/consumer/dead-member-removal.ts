import { KpiError, messageOf } from '../errors.ts'
import type { KafkaCluster } from '../kafka/client/cluster.ts'
import { describeGroup } from '../kafka/group/describe-group.ts'
import { GroupCoordinator } from '../kafka/group/group-coordinator.ts'
import { removeMember } from '../kafka/group/remove-member.ts'
import type { Logger } from '../log.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Database } from '../store/client/connection.ts'
import { lastHeardSeconds } from '../store/positions/last-heard.ts'
import { lookAgain } from './polling.ts'

/** The reads and actions that the removal needs. Every failure is a {@link KpiError}. */
export interface SilentMemberPorts {
  /** How many seconds ago each worker last reported its status. */
  lastHeardSeconds(): Promise<ReadonlyMap<string, number>>
  /** The group's member ids, by worker id. */
  members(): Promise<ReadonlyMap<string, string>>
  /** Removes the member from the group. */
  remove(memberId: string): Promise<'removed' | 'gone'>
}

/** A worker's client id in Kafka is this prefix followed by its id in `worker_status`. */
export const workerClientPrefix = 'market-kpi-consumer-'

/** Connects the removal to a Kafka group and a database. */
export function connectSilentMemberPorts(around: {
  readonly cluster: KafkaCluster
  readonly database: Database
  readonly group: string
  readonly topic: string
}): SilentMemberPorts {
  const { cluster, database, group, topic } = around
  const coordinator = new GroupCoordinator(cluster, group)
  return {
    lastHeardSeconds: () => lastHeardSeconds(database),
    members: async () => {
      const { members } = await describeGroup(cluster, group, topic)
      const workers = members.filter(
        ({ clientId, protocol }) => protocol === 'classic' && clientId.startsWith(workerClientPrefix),
      )
      return new Map(workers.map(({ clientId, memberId }) => [clientId.slice(workerClientPrefix.length), memberId]))
    },
    remove: (memberId) => removeMember(coordinator, memberId),
  }
}

/**
 * Longer than the pauses of an overloaded machine, and than Kafka's own session timeout of 45 s, which nearly always
 * removes the member first.
 */
const silentAfterSeconds = 60
const checkIntervalMs = 10_000

/**
 * Removes members whose workers have not reported for long, since nobody reads their partitions meanwhile. Brokers do
 * that themselves by a session timeout; but a broker that was killed while it loaded its groups may keep a dead member
 * forever (seen with Kafka 4.4.0). The worker may have been killed, may have ended while no broker accepted its
 * LeaveGroup request, or may never have reached the database. Removal is safe at any time: a live worker joins again,
 * and the fence of the commit prevents double counting.
 */
export class DeadMemberRemoval {
  readonly #ports: SilentMemberPorts
  readonly #clock: Clock
  readonly #log: Logger
  readonly #silentAfterSeconds: number
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  /** Since when the database has answered every check: while it was unavailable, no worker could report. */
  #listeningSinceMs: number | undefined
  /** Workers in the group that have no row in the database, and since when. */
  #unheardSinceMs: ReadonlyMap<string, number> = new Map()

  /** @param surroundings.silentAfterSeconds - @defaultValue 60 */
  constructor(
    ports: SilentMemberPorts,
    surroundings: { readonly clock: Clock; readonly log: Logger; readonly silentAfterSeconds?: number },
  ) {
    this.#ports = ports
    this.#clock = surroundings.clock
    this.#log = surroundings.log
    this.#silentAfterSeconds = surroundings.silentAfterSeconds ?? silentAfterSeconds
  }

  start(): void {
    const intervalMs = Math.min(checkIntervalMs, this.#silentAfterSeconds * 500)
    this.#running ??= lookAgain(this.#clock, intervalMs, this.#stopping.signal, () => this.#look())
  }

  /** Starts no further removal; a removal in progress ends when its connections close. Idempotent. */
  stop(): void {
    this.#stopping.abort()
  }

  async #look(): Promise<void> {
    try {
      const nowMs = this.#clock.now()
      const heard = await this.#lastHeardSeconds()
      const members = [...(await this.#ports.members())]
      const unheard = members.filter(([workerId]) => !heard.has(workerId)).map(([workerId]) => workerId)
      this.#unheardSinceMs = new Map(unheard.map((workerId) => [workerId, this.#unheardSinceMs.get(workerId) ?? nowMs]))
      for (const [workerId, member] of members) {
        const seconds = heard.get(workerId) ?? (nowMs - (this.#unheardSinceMs.get(workerId) ?? nowMs)) / 1000
        if (seconds >= this.#silentAfterSeconds && this.#hasListenedLong(nowMs))
          await this.#takeOut(workerId, member, seconds)
      }
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      this.#log.debug(`which members of the group are silent is not known for now: ${messageOf(error)}`)
    }
  }

  async #lastHeardSeconds(): Promise<ReadonlyMap<string, number>> {
    const nowMs = this.#clock.now()
    try {
      const heard = await this.#ports.lastHeardSeconds()
      this.#listeningSinceMs ??= nowMs
      return heard
    } catch (error) {
      this.#listeningSinceMs = undefined
      this.#unheardSinceMs = new Map()
      throw error
    }
  }

  /** Whether the database has been available for long enough that every live worker could report. */
  #hasListenedLong(nowMs: number): boolean {
    return nowMs - (this.#listeningSinceMs ?? nowMs) >= this.#silentAfterSeconds * 1000
  }

  async #takeOut(workerId: string, memberId: string, silentSeconds: number): Promise<void> {
    if (this.#stopping.signal.aborted || (await this.#ports.remove(memberId)) === 'gone') return
    const seconds = Math.round(silentSeconds)
    this.#log.warn(`the worker ${workerId} was silent for ${seconds} s and still in the group: taken out of it`)
  }
}
