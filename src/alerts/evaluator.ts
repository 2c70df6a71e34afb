// One evaluation observes the pipeline, advances the episodes and saves them. Then each receiver gets the notifications
// that it still needs. A notification passes through these steps:
//
//   1. next-notification.ts    decides what the receiver has to get, from the episodes and their delivery states
//   2. build-notification.ts   builds the texts and the id
//   3. (here)                  saves it as `sending`, so that the next leader sends the same notification again
//   4. notification-sender.ts  delivers it, with repeated attempts until the outcome is known
//   5. (here)                  records the outcome in the episodes (episode-store.ts), and saves it
//
// Evaluations continue without the database; leadership.ts describes which evaluator sends then.

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
  /** Wall clock; null before the first evaluation. */
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
  /** Senders for which `#deliverDue` is running. */
  readonly #delivering = new Set<NotificationSender>()
  /** The latest run of `#deliverDue` for each sender; resolves when the run ends. */
  readonly #deliveries = new Map<NotificationSender, Promise<void>>()
  readonly #underway = new Map<NotificationSender, Underway>()
  /** Notifications of an earlier leader that did not save their outcome. They are sent first. */
  #unfinished: readonly Dispatch[] = []
  #silences: readonly Silence[] = []
  /** Whether the stored episodes have been read since this evaluator took the lead. */
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

  /** Evaluates at once, and then once per interval. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Aborts deliveries; the next leader sends the unfinished ones again. Idempotent. */
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

  /** Runs one evaluation. The deliveries that it starts continue after it. */
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

  /** Sends notifications to one receiver until none is due. */
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
        // The outcome is recorded even if the dispatch was abandoned meanwhile, since the receiver did get it.
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

  /** Watchdogs, and the repeats that machines get every minute, are not saved: they would only fill the table. */
  #isWorthKeeping({ notification: { reason }, receiver }: DispatchRecord): boolean {
    if (reason === 'watchdog') return false
    return reason !== 'repeat' || !this.#senders.some((s) => s.receiver.name === receiver && s.receiver.isForMachines)
  }

  /** Takes or renews the lead, and reads the silences; after taking the lead also the stored episodes. */
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

  /** Abandons the dispatches that are saved in the database: the new leader sends them. */
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
    // For its own dispatches this evaluator knows more than the database.
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

  /** The dispatches of all receivers that are being sent, or have to be sent again. */
  #dispatches(): Dispatch[] {
    return [...[...this.#underway.values()].map(({ dispatch }) => dispatch), ...this.#unfinished]
  }

  /**
   * Saves all changes. Saves run one after the other, since they share a session. Resolves when all current changes are
   * saved, as far as possible.
   */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow())
    return this.#saving
  }

  async #saveNow(): Promise<void> {
    const { store, role } = this.#leadership
    // Before the stored episodes have been read, the same alerts would be saved a second time.
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

  /** A failure that does not end the session, such as a missing table, does not change the lead. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isOwnMistake(error) || !(error instanceof KpiError)) throw error
      if (error.code === 'KPI_POSTGRES_UNREACHABLE') await this.#leadership.lose(error)
      else this.#warnOnce(messageOf(error))
    }
  }

  /** Logs a reason once, not at each evaluation. */
  #warnOnce(reason: string): void {
    if (reason !== this.#lastWarning) this.#options.log.warn(`alerts are not kept in the database: ${reason}`)
    this.#lastWarning = reason
  }
}
