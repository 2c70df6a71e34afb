// Of several evaluators one sends notifications, the one whose session has the lead in the database (store/alert-seat.ts).
//
//   follower  the database answers, another evaluator leads: keeps its own view, begins nothing. It takes the lead when the
//             leader's session has ended, or when the leader has given no sign for two intervals.
//   leader    has the lead: sends, and writes.
//   acting    led, and the database is away: goes on telling, and writes when it is back.
//   adrift    the database is away, and it did not lead: nobody knows whether another one does. It tells of the database
//             alone, since that is the one alert which the leader may not live to send.
//
// Whoever did not lead lets one interval pass, at its start and once the database is back, so that the one that did gets the
// lead again, with all that it told meanwhile. What only a killed evaluator knew is lost: the end of what it told may then be
// told twice, or not.
//
// A trouble is told twice only where the database is away from some of the evaluators, each of which then tells of it,
// and of its end. Receivers that know fingerprints (Alertmanager, PagerDuty) show one. Whoever told of a beginning that is
// not in the database tells of the end too; of all others the leader does.

import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { AlertStore } from './alert-store.ts'
import type { NotifyPermission } from './next-notification.ts'

export type Role = 'leader' | 'acting' | 'follower' | 'disconnected'

/** What an evaluator without a leader's knowledge tells of. */
const toldAdrift = new Set(['PostgresUnreachable'])

export function mandateOf(role: Role): NotifyPermission {
  const leads = role === 'leader' || role === 'acting'
  return {
    mayBegin: ({ rule }) => leads || (role === 'disconnected' && toldAdrift.has(rule)),
    mayEnd: ({ told }, receiver) => leads || told[receiver]?.isShared === false,
  }
}

export class Leadership {
  readonly #open: () => Promise<AlertStore>
  readonly #log: Logger
  #role: Role = 'disconnected'
  #store: AlertStore | undefined
  /** It has read what was told before: only then can it go on without the database. */
  #isInformed = false
  /** For all it knows another one led until the database went away. */
  #isCourteous = true

  /** @param open - Opens a session; throws KpiError when the database is away. */
  constructor(open: () => Promise<AlertStore>, log: Logger) {
    this.#open = open
    this.#log = log
  }

  get role(): Role {
    return this.#role
  }

  /** Undefined while the database is away. */
  get store(): AlertStore | undefined {
    return this.#store
  }

  /** Takes the lead, or finds out whether it is still ours. */
  async refresh(): Promise<Role> {
    try {
      this.#store ??= await this.#open()
      const isWaiting = this.#isCourteous
      this.#isCourteous = false
      this.#become(!isWaiting && (await this.#store.takeLead()) ? 'leader' : 'follower')
    } catch (error) {
      await this.lose(error)
    }
    return this.#role
  }

  /** The session failed, in whatever it did. */
  async lose(error: unknown): Promise<void> {
    if (!(error instanceof KpiError)) throw error
    const leads = this.leads && this.#isInformed
    const wasThere = this.#store
    this.#store = undefined
    if (wasThere) this.#log.warn(`alerts are not kept in the database for now: ${messageOf(error)}`)
    this.#become(leads ? 'acting' : 'disconnected')
    this.#isCourteous = !leads
    await wasThere?.close()
  }

  /** What the database holds is known. */
  noteInformed(): void {
    this.#isInformed = true
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
    if (role !== this.#role) this.#log.info(`alerts: this evaluator is ${wordsOf[role]}`)
    this.#role = role
    if (!this.leads) this.#isInformed = false
  }
}

const wordsOf: Record<Role, string> = {
  leader: 'the one that tells',
  acting: 'the one that tells, without its database',
  follower: 'on standby: another one tells',
  disconnected: 'without its database, and tells of that alone',
}
