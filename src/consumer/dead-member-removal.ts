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

/** What it needs of the world. All that fails throws {@link KpiError}. */
export interface SilentMemberPorts {
  /** How many seconds ago each worker was last heard of. */
  lastHeardSeconds(): Promise<ReadonlyMap<string, number>>
  /** The member ids of the group, by the worker that each belongs to. */
  members(): Promise<ReadonlyMap<string, string>>
  /** Says goodbye to the group for it. */
  remove(memberId: string): Promise<'removed' | 'gone'>
}

/** A worker's client id in Kafka is this and its id in `worker_status`. */
export const workerClientPrefix = 'market-kpi-consumer-'

/** The way to a real group and a real database. */
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

/** Longer than the pauses of a machine in trouble, and than Kafka's own session timeout of 45 s, which nearly always comes first. */
const silentAfterSeconds = 60
const checkIntervalMs = 10_000

/**
 * Takes members out of the group whose workers have fallen silent, since their partitions stand still meanwhile. The
 * brokers do that themselves by a session timeout; but one that was killed while it loaded its groups may keep a dead
 * member for ever (seen with Kafka 4.4.0). That may be a worker that was killed, one that ended while no broker took its
 * goodbye, and one that the database never heard of. It is safe at any time: a worker that lives joins again, and the
 * fence of the commit lets nothing be counted twice.
 */
export class DeadMemberRemoval {
  readonly #ports: SilentMemberPorts
  readonly #clock: Clock
  readonly #log: Logger
  readonly #silentAfterSeconds: number
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  /** Since when the database has answered every look: while it was away, nobody could be heard. */
  #listeningSinceMs: number | undefined
  /** Workers in the group of which the database knows nothing, and since when. */
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

  /** Begins nothing more; what is under way ends with its connections. Idempotent. */
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

  /** Whether the database has answered for so long that every worker that lives could be heard. */
  #hasListenedLong(nowMs: number): boolean {
    return nowMs - (this.#listeningSinceMs ?? nowMs) >= this.#silentAfterSeconds * 1000
  }

  async #takeOut(workerId: string, memberId: string, silentSeconds: number): Promise<void> {
    if (this.#stopping.signal.aborted || (await this.#ports.remove(memberId)) === 'gone') return
    const seconds = Math.round(silentSeconds)
    this.#log.warn(`the worker ${workerId} was silent for ${seconds} s and still in the group: taken out of it`)
  }
}
