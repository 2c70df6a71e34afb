// One evaluation observes the pipeline, advances the episodes and saves them. Then each receiver gets the notifications that
// it lacks. A notification takes one way, and each step returns its result to this file:
//
//   1. next-notification.ts    what the receiver has to get, from the episodes and what it knows of them
//   2. build-notification.ts   the same in words, with an id
//   3. (here)                  saved as `sending`, so that an evaluator that takes over sends the same one again
//   4. notification-sender.ts  delivered, tried again until the outcome is known
//   5. (here)                  the outcome is noted in the episodes (episode-store.ts), and saved
//
// Evaluations continue without the database; leadership.ts says who sends then.

import { isOwnMistake, KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Timing } from './alert-rules.ts'
import type { AlertStore, Dispatch, DispatchRecord } from './alert-store.ts'
import { buildNotification, type NotificationContext } from './build-notification.ts'
import { DispatchLog } from './dispatch-log.ts'
import { EpisodeStore } from './episode-store.ts'
import { Leadership, permissionOf, type Role } from './leadership.ts'
import { nextNotification } from './next-notification.ts'
import type { Notifier } from './notification.ts'
import { type AlertClock, NotificationSender } from './notification-sender.ts'
import { notifierFailing, watchdog } from './self-alerts.ts'
import type { Signal } from './signal.ts'
import type { Silence } from './silence.ts'

export interface EvaluatorOptions {
  /** Checks the pipeline and the rules of market-kpi.yaml. Throws only for our own mistakes. */
  readonly observe: () => Promise<readonly Signal[]>
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

/** A notification that is being sent. */
interface Underway {
  readonly dispatch: Dispatch
  readonly abandon: AbortController
}

export class AlertEvaluator {
  readonly #options: EvaluatorOptions
  readonly #episodes: EpisodeStore
  readonly #leadership: Leadership
  readonly #senders: readonly NotificationSender[]
  readonly #log = new DispatchLog()
  readonly #stop = new AbortController()
  /** Receivers for which `#deliverDue` runs, */
  readonly #delivering = new Set<NotificationSender>()
  /** and when its latest run ends. */
  readonly #deliveries = new Map<NotificationSender, Promise<void>>()
  readonly #underway = new Map<NotificationSender, Underway>()
  /** Notifications of an earlier leader whose outcome it did not save; they are sent first. */
  #unfinished: readonly Dispatch[] = []
  #silences: readonly Silence[] = []
  /** Whether the episodes that the database held when we took the lead have been read. */
  #isLoaded = false
  #evaluations = 0
  #lastEvaluationAtMs: number | null = null
  #delivered = 0
  #undeliverable = 0
  #lastWarning = ''
  #saving: Promise<void> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(options: EvaluatorOptions) {
    const { notifiers, clock, log } = options
    this.#options = options
    this.#episodes = new EpisodeStore({ timingOf: options.timingOf, newId: options.newId }, options.intervalMs)
    this.#leadership = new Leadership(options.openStore, log)
    this.#senders = notifiers.map((notifier) => new NotificationSender(notifier, { clock, log }))
  }

  get figures(): EvaluatorFigures {
    const firing = { info: 0, warning: 0, critical: 0 }
    for (const { state, severity, rule } of this.#episodes.episodes) {
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

  /** Ends deliveries; whoever leads next sends again what was under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    for (const sender of this.#senders) sender.stop()
    await Promise.all(this.#deliveries.values())
    await Promise.all(this.#senders.map((sender) => sender.close()))
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

  /** One evaluation. Deliveries that it gives rise to continue after it. */
  async evaluate(): Promise<void> {
    const { observe, clock } = this.#options
    const [signals] = await Promise.all([observe(), this.#refreshRole()])
    const atMs = clock.wallMs()
    this.#episodes.observe([...signals, ...this.#selfAlerts(atMs)], atMs)
    this.#evaluations += 1
    this.#lastEvaluationAtMs = atMs
    await this.#save()
    const receivers = this.#senders.map(({ receiver }) => receiver.name)
    const sending = this.#dispatches().flatMap(({ episodes }) => episodes)
    this.#episodes.settle(receivers, sending, this.#leadership.leads)
    for (const sender of this.#senders) {
      if (!this.#delivering.has(sender)) this.#deliveries.set(sender, this.#deliverDue(sender))
    }
  }

  #selfAlerts(nowMs: number): Signal[] {
    const failing = this.#senders.flatMap(({ receiver, problem }) => notifierFailing(receiver.name, problem, nowMs))
    return [watchdog, ...failing]
  }

  /** Sends to one receiver until it has all that it should. */
  async #deliverDue(sender: NotificationSender): Promise<void> {
    this.#delivering.add(sender)
    try {
      while (!this.#stop.signal.aborted) {
        const unfinished = this.#unfinished.find(({ receiver }) => receiver === sender.receiver.name)
        this.#unfinished = this.#unfinished.filter((dispatch) => dispatch !== unfinished)
        const dispatch = unfinished ?? this.#nextFor(sender.receiver)
        if (!dispatch) return
        const underway = { dispatch, abandon: new AbortController() }
        this.#underway.set(sender, underway)
        if (!unfinished) await this.#record({ ...dispatch, outcome: 'sending', attempts: 0, detail: '' })
        const outcome = await sender.deliver(dispatch, underway.abandon.signal)
        // One that was abandoned meanwhile belongs to another evaluator, but what the receiver got it got.
        if (outcome) await this.#noteOutcome({ ...dispatch, ...outcome })
        if (this.#underway.get(sender) === underway) this.#underway.delete(sender)
      }
    } finally {
      this.#delivering.delete(sender)
    }
  }

  #nextFor(receiver: Notifier): Dispatch | undefined {
    const { clock, context } = this.#options
    const nowMs = clock.wallMs()
    const permission = permissionOf(this.#leadership.role)
    const scene = { nowMs, silences: this.#silences, permission }
    const pending = nextNotification(this.#episodes.episodes, receiver, scene)
    return pending && buildNotification(pending, context, { receiver: receiver.name, nowMs })
  }

  async #noteOutcome(record: DispatchRecord): Promise<void> {
    if (record.outcome === 'delivered') this.#delivered += 1
    else this.#undeliverable += 1
    this.#episodes.noteOutcome(record, this.#options.clock.wallMs())
    await this.#record(record)
  }

  async #record(record: DispatchRecord): Promise<void> {
    if (this.#isWorthKeeping(record)) this.#log.add(record)
    await this.#save()
  }

  /** What machines get every minute would only fill the table. */
  #isWorthKeeping({ notification: { reason }, receiver }: DispatchRecord): boolean {
    if (reason === 'watchdog') return false
    return reason !== 'repeat' || !this.#senders.some((s) => s.receiver.name === receiver && s.receiver.isForMachines)
  }

  /** Finds out who leads, and reads the database if it is this evaluator. */
  async #refreshRole(): Promise<void> {
    const led = this.#leadership.leads
    const role = await this.#leadership.refresh()
    const { store } = this.#leadership
    if (role === 'follower') {
      this.#isLoaded = false
      this.#episodes.leaveSharedToLeader()
      if (led) this.#abandonSaved()
    }
    // While the session was lost, another evaluator may have led.
    if (role === 'acting' || role === 'disconnected') this.#isLoaded = false
    if (!store) return
    await this.#guarded(async () => {
      this.#silences = await store.silences()
      if (role === 'leader' && !this.#isLoaded) await this.#load(store)
    })
  }

  /** The leader sends what the database has. */
  #abandonSaved(): void {
    this.#unfinished = []
    for (const [sender, { dispatch, abandon }] of this.#underway) {
      if (this.#log.hasUnsaved(dispatch.notification.id)) continue
      abandon.abort()
      this.#underway.delete(sender)
    }
  }

  async #load(store: AlertStore): Promise<void> {
    const { episodes, sending } = await store.load()
    this.#episodes.merge(episodes)
    // This evaluator knows more than the database of what it sends, or sent, itself.
    const ours = new Set([
      ...this.#log.unsaved.map(({ notification }) => notification.id),
      ...this.#dispatches().map(({ notification }) => notification.id),
    ])
    const others = sending.filter(({ notification }) => !ours.has(notification.id))
    const names = this.#senders.map(({ receiver }) => receiver.name)
    this.#unfinished = others.filter(({ receiver }) => names.includes(receiver))
    for (const dispatch of others.filter(({ receiver }) => !names.includes(receiver))) {
      this.#log.add({ ...dispatch, outcome: 'given up', attempts: 0, detail: 'this receiver is no longer configured' })
    }
    this.#isLoaded = true
    this.#leadership.noteLoaded()
  }

  /** Of all receivers, what is being sent or has to be sent again. */
  #dispatches(): Dispatch[] {
    return [...[...this.#underway.values()].map(({ dispatch }) => dispatch), ...this.#unfinished]
  }

  /** One save after the other, since they share a session. Resolves when all that exists now is saved, as far as possible. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow())
    return this.#saving
  }

  async #saveNow(): Promise<void> {
    const { store, role } = this.#leadership
    // Before the database has been read, its episodes would be saved a second time.
    if (!store || role !== 'leader' || !this.#isLoaded) return
    const dispatches = this.#log.unsaved
    const changes = { ...this.#episodes.changes(), dispatches }
    if (changes.episodes.length + changes.forgotten.length + dispatches.length === 0) return
    await this.#guarded(async () => {
      await store.save(changes)
      this.#lastWarning = ''
      this.#episodes.noteSaved(changes)
      this.#log.noteSaved(dispatches)
    })
  }

  /** A failure that does not end the session, such as a missing table, leaves the lead as it is. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isOwnMistake(error) || !(error instanceof KpiError)) throw error
      if (error.code === 'KPI_POSTGRES_UNREACHABLE') await this.#leadership.lose(error)
      else this.#warnOnce(messageOf(error))
    }
  }

  /** Not at each evaluation. */
  #warnOnce(reason: string): void {
    if (reason !== this.#lastWarning) this.#options.log.warn(`alerts are not kept in the database: ${reason}`)
    this.#lastWarning = reason
  }
}
