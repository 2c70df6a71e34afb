import { isOwnMistake, KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Timing } from './alert-rules.ts'
import type { AlertStore, Dispatch, DispatchRecord } from './alert-store.ts'
import { buildNotification, type NotificationContext } from './build-notification.ts'
import { EpisodeStore } from './episode-store.ts'
import { Leadership, mandateOf, type Role } from './leadership.ts'
import { whatToTell } from './next-notification.ts'
import type { Notifier } from './notification.ts'
import { type AlertClock, NotificationSender, type Sender } from './notification-sender.ts'
import { notifierFailing, watchdog } from './self-alerts.ts'
import type { Signal } from './signal.ts'
import type { Silence } from './silence.ts'

export interface EvaluatorOptions {
  /** Looks at the pipeline and at the rules of market-kpi.yaml. Never throws but for our own mistakes. */
  readonly look: () => Promise<readonly Signal[]>
  readonly openStore: () => Promise<AlertStore>
  readonly notifiers: readonly Notifier[]
  readonly timingOf: (rule: string) => Timing
  readonly context: NotificationContext
  readonly intervalMs: number
  readonly clock: AlertClock
  readonly newId: () => string
  readonly log: Logger
}

export interface EvaluatorFigures {
  readonly role: Role
  readonly evaluations: number
  /** Wall clock; null before the first. */
  readonly lastEvaluationAtMs: number | null
  readonly firing: { readonly info: number; readonly warning: number; readonly critical: number }
  readonly delivered: number
  readonly undeliverable: number
}

/** What the log of notifications in memory holds at most, while the database is away. */
const maxUnsavedRecords = 1000

/**
 * Looks, moves episodes on, saves them, and has the receivers told: each evaluation in this order, so that what is told is
 * in the database as far as there is one. It goes on without the database; see leadership.ts for who tells then.
 */
export class AlertEvaluator implements Sender {
  readonly #options: EvaluatorOptions
  readonly #book: EpisodeStore
  readonly #leadership: Leadership
  readonly #couriers: readonly NotificationSender[]
  readonly #stop = new AbortController()
  /** By notification id, what of the log is to be saved. */
  readonly #unsaved = new Map<string, DispatchRecord>()
  #silences: readonly Silence[] = []
  /** Whether what the database held when we began to lead is in the book. */
  #isLoaded = false
  #evaluations = 0
  #lastEvaluationAtMs: number | null = null
  #delivered = 0
  #undeliverable = 0
  #complaint = ''
  #saving: Promise<void> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(options: EvaluatorOptions) {
    const { notifiers, clock, log } = options
    this.#options = options
    this.#book = new EpisodeStore({ timingOf: options.timingOf, newId: options.newId }, options.intervalMs)
    this.#leadership = new Leadership(options.openStore, log)
    this.#couriers = notifiers.map((notifier) => new NotificationSender(notifier, this, { clock, log }))
  }

  get figures(): EvaluatorFigures {
    const firing = { info: 0, warning: 0, critical: 0 }
    for (const { state, severity, rule } of this.#book.episodes) {
      if (state === 'firing' && rule !== 'Watchdog') firing[severity] += 1
    }
    return {
      role: this.#leadership.role,
      evaluations: this.#evaluations,
      lastEvaluationAtMs: this.#lastEvaluationAtMs,
      firing,
      delivered: this.#delivered,
      undeliverable: this.#undeliverable,
    }
  }

  /** Evaluates at once, and then at each interval. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Lets the receivers be; what is under way is sent again by whoever leads next. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await Promise.all(this.#couriers.map((courier) => courier.stop()))
    await this.#saving
    await this.#leadership.stop()
  }

  async #run(): Promise<void> {
    const { intervalMs, clock } = this.#options
    while (!this.#stop.signal.aborted) {
      const startMs = performance.now()
      await this.evaluate()
      await clock.pause(Math.max(0, intervalMs - (performance.now() - startMs)), this.#stop.signal)
    }
  }

  /** One evaluation. */
  async evaluate(): Promise<void> {
    const { look, clock } = this.#options
    const [signals] = await Promise.all([look(), this.#takeStanding()])
    const atMs = clock.wallMs()
    this.#book.look([...signals, ...this.#selfAlerts(atMs)], atMs)
    this.#evaluations += 1
    this.#lastEvaluationAtMs = atMs
    await this.#save()
    const receivers = this.#couriers.map(({ receiver }) => receiver.name)
    const underway = this.#carried().flatMap(({ episodes }) => episodes)
    this.#book.settle(receivers, underway, this.#leadership.leads)
    for (const courier of this.#couriers) courier.wake()
  }

  #selfAlerts(nowMs: number): Signal[] {
    const failing = this.#couriers.flatMap(({ receiver, trouble }) => notifierFailing(receiver.name, trouble, nowMs))
    return [watchdog, ...failing]
  }

  /** Finds out who leads, and reads what the database holds for who does. */
  async #takeStanding(): Promise<void> {
    const led = this.#leadership.leads
    const role = await this.#leadership.refresh()
    const { store } = this.#leadership
    if (role === 'follower') {
      this.#isLoaded = false
      this.#book.leaveSharedToLeader()
      const isSaved = ({ notification }: Dispatch) => !this.#unsaved.has(notification.id)
      if (led) for (const courier of this.#couriers) courier.drop(isSaved)
    }
    // Whatever was there while the session was gone, another evaluator may have led.
    if (role === 'acting' || role === 'disconnected') this.#isLoaded = false
    if (!store) return
    await this.#guarded(async () => {
      this.#silences = await store.silences()
      if (role === 'leader' && !this.#isLoaded) await this.#load(store)
    })
  }

  async #load(store: AlertStore): Promise<void> {
    const { episodes, sending } = await store.load()
    this.#book.merge(episodes)
    // What this evaluator sends or sent itself it knows better.
    const ours = new Set([...this.#unsaved.keys(), ...this.#carried().map(({ notification }) => notification.id)])
    const others = sending.filter(({ notification }) => !ours.has(notification.id))
    for (const courier of this.#couriers) {
      courier.resume(others.filter(({ receiver }) => receiver === courier.receiver.name))
    }
    const names = this.#couriers.map(({ receiver }) => receiver.name)
    for (const dispatch of others.filter(({ receiver }) => !names.includes(receiver))) {
      this.#record({ ...dispatch, outcome: 'given up', attempts: 0, detail: 'no such receiver any more' })
    }
    this.#isLoaded = true
    this.#leadership.noteInformed()
  }

  #carried(): Dispatch[] {
    return this.#couriers.flatMap((courier) => courier.carried)
  }

  next(receiver: Notifier): Dispatch | undefined {
    const { clock, context } = this.#options
    const nowMs = clock.wallMs()
    const mandate = mandateOf(this.#leadership.role)
    const telling = whatToTell(this.#book.episodes, receiver, { nowMs, silences: this.#silences, mandate })
    return telling && buildNotification(telling, context, { receiver: receiver.name, nowMs })
  }

  async begun(dispatch: Dispatch): Promise<void> {
    this.#record({ ...dispatch, outcome: 'sending', attempts: 0, detail: '' })
    await this.#save()
  }

  async ended(record: DispatchRecord): Promise<void> {
    const { receiver, notification, episodes, outcome } = record
    if (outcome === 'delivered') this.#delivered += 1
    else this.#undeliverable += 1
    const atMs = this.#options.clock.wallMs()
    for (const ref of episodes) {
      const told = this.#book.find(ref)?.told[receiver]?.status
      // Who knew of the trouble before is still owed its end, and an end that is refused is none that can be told.
      const isKnown = outcome === 'delivered' || told === 'firing'
      const status = notification.reason === 'resolved' ? 'resolved' : isKnown ? 'firing' : 'refused'
      this.#book.note(receiver, ref, status, atMs)
    }
    this.#record(record)
    await this.#save()
  }

  /** What machines hear of every minute is no news to keep. */
  #record(record: DispatchRecord): void {
    const { notification, receiver } = record
    const isForMachines = this.#couriers.some((c) => c.receiver.name === receiver && c.receiver.isForMachines)
    if (notification.reason === 'watchdog' || (notification.reason === 'repeat' && isForMachines)) return
    this.#unsaved.set(notification.id, record)
    const [oldest] = this.#unsaved.keys()
    if (this.#unsaved.size > maxUnsavedRecords && oldest !== undefined) this.#unsaved.delete(oldest)
  }

  /** One after the other, since they share a session; who asks waits for all that is there now. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow())
    return this.#saving
  }

  async #saveNow(): Promise<void> {
    const { store, role } = this.#leadership
    // Before it knows what the database holds, it would write beside it.
    if (!store || role !== 'leader' || !this.#isLoaded) return
    const dispatches = [...this.#unsaved.values()]
    const changes = { ...this.#book.changes(), dispatches }
    if (changes.episodes.length + changes.forgotten.length + dispatches.length === 0) return
    await this.#guarded(async () => {
      await store.save(changes)
      this.#complaint = ''
      this.#book.noteSaved(changes)
      for (const record of dispatches) {
        if (this.#unsaved.get(record.notification.id) === record) this.#unsaved.delete(record.notification.id)
      }
    })
  }

  /** Once, and not at each look. */
  #complain(why: string): void {
    if (why !== this.#complaint) this.#options.log.warn(`alerts are not kept in the database: ${why}`)
    this.#complaint = why
  }

  /** A failure that is not the session's, such as a missing table, leaves the lead where it is. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isOwnMistake(error) || !(error instanceof KpiError)) throw error
      if (error.code === 'KPI_POSTGRES_UNREACHABLE') await this.#leadership.lose(error)
      else this.#complain(messageOf(error))
    }
  }
}
