// Of several evaluators one sends notifications: the one whose session has the lead in the database
// (store/alerts/alert-seat.ts).
//
//   follower      the database answers, another evaluator leads: it observes, and sends nothing new. It takes the lead when
//                 the leader's session has ended, or when the leader has given no sign for two intervals.
//   leader        has the lead: it sends, and writes to the database.
//   acting        had the lead, and the database is unavailable: it continues to send, and writes once the database is back.
//   disconnected  did not have the lead, and the database is unavailable: it cannot know whether another one leads. It sends
//                 only that the database is unavailable, the one alert that the leader may not live to send.
//
// An evaluator that did not lead waits for one interval, at its start and once the database is back, so that the one that led
// gets the lead again, with all that it sent meanwhile. What only a killed evaluator knew is lost: the end of what it sent may
// then be sent twice, or not at all.
//
// An alert is sent twice only where the database is unavailable to some of the evaluators: each of them then sends that it
// fires, and that it ended. Receivers that know fingerprints (Alertmanager, PagerDuty) show one. An evaluator that sent a
// beginning which is not in the database also sends the end; the leader sends all others.

import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { AlertStore } from './alert-store.ts'
import type { NotifyPermission } from './next-notification.ts'

export type Role = 'leader' | 'acting' | 'follower' | 'disconnected'

/** What a disconnected evaluator sends. */
const sentWhileDisconnected = new Set(['PostgresUnreachable'])

export function permissionOf(role: Role): NotifyPermission {
  const leads = role === 'leader' || role === 'acting'
  return {
    mayNotify: ({ rule }) => leads || (role === 'disconnected' && sentWhileDisconnected.has(rule)),
    mayResolve: ({ deliveries }, receiver) => leads || deliveries[receiver]?.isShared === false,
  }
}

export class Leadership {
  readonly #open: () => Promise<AlertStore>
  readonly #log: Logger
  #role: Role = 'disconnected'
  #store: AlertStore | undefined
  /** It has read what was sent before: only then can it continue without the database. */
  #isLoaded = false
  /** Another one may have led until the database became unavailable: that one gets the lead first. */
  #letsOthersFirst = true

  /** @param open - Opens a session; throws KpiError when the database is unavailable. */
  constructor(open: () => Promise<AlertStore>, log: Logger) {
    this.#open = open
    this.#log = log
  }

  get role(): Role {
    return this.#role
  }

  /** Undefined while the database is unavailable. */
  get store(): AlertStore | undefined {
    return this.#store
  }

  /** Takes the lead, or renews it. @returns The role from now on. */
  async refresh(): Promise<Role> {
    try {
      this.#store ??= await this.#open()
      const isWaiting = this.#letsOthersFirst
      this.#letsOthersFirst = false
      this.#become(!isWaiting && (await this.#store.takeLead()) ? 'leader' : 'follower')
    } catch (error) {
      await this.lose(error)
    }
    return this.#role
  }

  /** The session failed, whatever it was doing. */
  async lose(error: unknown): Promise<void> {
    if (!(error instanceof KpiError)) throw error
    const leads = this.leads && this.#isLoaded
    const lost = this.#store
    this.#store = undefined
    if (lost) this.#log.warn(`alerts are not kept in the database for now: ${messageOf(error)}`)
    this.#become(leads ? 'acting' : 'disconnected')
    this.#letsOthersFirst = !leads
    await lost?.close()
  }

  /** What the database holds has been read. */
  noteLoaded(): void {
    this.#isLoaded = true
  }

  get leads(): boolean {
    return this.#role === 'leader' || this.#role === 'acting'
  }

  /** Gives the lead back. Idempotent. */
  async stop(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }

  #become(role: Role): void {
    if (role !== this.#role) this.#log.info(`alerts: this evaluator is ${descriptionOf[role]}`)
    this.#role = role
    if (!this.leads) this.#isLoaded = false
  }
}

const descriptionOf: Record<Role, string> = {
  leader: 'the leader, and sends notifications',
  acting: 'the leader, and sends notifications while the database is unavailable',
  follower: 'on standby: another evaluator sends notifications',
  disconnected: 'disconnected from the database, and sends notifications about that only',
}
