// If several evaluators run, only the leader sends notifications: the one whose session has the lead in the database
// (store/alerts/alert-seat.ts).
//
//   follower      The database is available and another evaluator leads. It observes, and sends nothing new. It takes
//                 the lead when the leader's session has ended, or when the leader has given no sign of life for two
//                 intervals.
//   leader        It has the lead. It sends notifications and writes to the database.
//   acting        It had the lead when the database became unavailable. It continues to send, and writes once the
//                 database is available again.
//   disconnected  It did not have the lead when the database became unavailable, and cannot know whether another
//                 evaluator leads. It sends only the alert that the database is unavailable, in case the leader is down.
//
// An evaluator that did not lead waits for one interval after its start, and after the database is available again, so
// that the former leader gets the lead back, with the state of everything that it sent. State that only a killed
// evaluator had is lost: `resolved` for what it sent may then be sent twice, or not at all.
//
// An alert is sent twice only if the database is unavailable to some of the evaluators: each of them then sends
// `firing` and `resolved`. Receivers that use fingerprints (Alertmanager, PagerDuty) show one alert. An evaluator that
// sent a `firing` which is not in the database also sends the `resolved`; the leader sends all others.

import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { AlertStore } from './alert-store.ts'
import type { NotifyPermission } from './next-notification.ts'

export type Role = 'leader' | 'acting' | 'follower' | 'disconnected'

/** The rules whose alerts a disconnected evaluator sends. */
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
  /** Whether the stored episodes have been read: only then can it continue to send without the database. */
  #isLoaded = false
  /**
   * Whether another evaluator may have led before the database became unavailable; then that one may take the lead
   * first.
   */
  #letsOthersFirst = true

  /** @param open - Opens a session; throws KpiError if the database is unavailable. */
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

  /** Takes or renews the lead. @returns The new role. */
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

  /** Ends the session after it failed, and changes the role. */
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

  /** Records that the stored episodes have been read. */
  noteLoaded(): void {
    this.#isLoaded = true
  }

  get leads(): boolean {
    return this.#role === 'leader' || this.#role === 'acting'
  }

  /** Releases the lead. Idempotent. */
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
