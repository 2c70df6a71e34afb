import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Backoff } from '../runtime/backoff.ts'
import type { Dispatch, DispatchRecord } from './alert-store.ts'
import type { Delivery, Notifier } from './notification.ts'

/** The time as the alerting sees it. */
export interface AlertClock {
  /** Wall clock, milliseconds since the Unix epoch. */
  wallMs(): number
  /** Waits, or returns early when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** A uniform number in [0, 1), for jitter. */
  random(): number
}

/** Whose word a courier carries. */
export interface Sender {
  /** What the receiver is owed now; undefined for nothing. */
  next(receiver: Notifier): Dispatch | undefined
  /** About to be sent for the first time. */
  begun(dispatch: Dispatch): Promise<void>
  ended(record: DispatchRecord): Promise<void>
}

/** Why a receiver is not told. */
export interface Trouble {
  readonly sinceMs: number
  /** Of the last attempt. */
  readonly lastAtMs: number
  readonly reason: string
  readonly isPermanent: boolean
}

const firstWaitMs = 1000
const maxWaitMs = 60_000
/** What nobody took for a day is no news. */
const giveUpAfterMs = 86_400_000

/**
 * Carries notifications to one receiver, one at a time: the next is made when the last has ended, so no queue grows while
 * a receiver is away. One that was sent, and whose answer did not come, is sent again as it is, with the same id: it may
 * have arrived, and then its end must follow.
 */
export class NotificationSender {
  readonly #notifier: Notifier
  readonly #sender: Sender
  readonly #clock: AlertClock
  readonly #log: Logger
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  #unfinished: Dispatch[] = []
  #current: { readonly dispatch: Dispatch; attempts: number; readonly sinceMs: number } | undefined
  #running: Promise<void> | undefined
  #isAwake = false
  #trouble: Trouble | null = null

  constructor(notifier: Notifier, sender: Sender, surroundings: { clock: AlertClock; log: Logger }) {
    this.#notifier = notifier
    this.#sender = sender
    this.#clock = surroundings.clock
    this.#log = surroundings.log
    this.#backoff = new Backoff({ firstMs: firstWaitMs, capMs: maxWaitMs, random: surroundings.clock.random })
  }

  get receiver(): Notifier {
    return this.#notifier
  }

  get trouble(): Trouble | null {
    return this.#trouble
  }

  /** What is on its way, or was on another's. */
  get carried(): readonly Dispatch[] {
    return [...(this.#current ? [this.#current.dispatch] : []), ...this.#unfinished]
  }

  /** Carries those first whose end their sender did not live to see. */
  resume(dispatches: readonly Dispatch[]): void {
    this.#unfinished = [...dispatches]
  }

  /** Leaves what is not delivered yet to another evaluator, where that one knows of it. */
  drop(isKnown: (dispatch: Dispatch) => boolean): void {
    if (this.#current && isKnown(this.#current.dispatch)) this.#current = undefined
    this.#unfinished = []
  }

  /** There may be something to carry. */
  wake(): void {
    this.#isAwake = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // Woken while it fell asleep.
      if (this.#isAwake && !this.#stop.signal.aborted) this.wake()
    })
  }

  /** Gives up what is under way: it stands as `sending`, and is sent again later. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort(new KpiError('KPI_USAGE', 'stopped'))
    await this.#running
    await this.#notifier.close()
  }

  async #run(): Promise<void> {
    this.#isAwake = false
    while (!this.#stop.signal.aborted) {
      if (!this.#current) {
        const resumed = this.#unfinished.shift()
        const dispatch = resumed ?? this.#sender.next(this.#notifier)
        if (!dispatch) return
        this.#current = { dispatch, attempts: 0, sinceMs: this.#clock.wallMs() }
        if (!resumed) await this.#sender.begun(dispatch)
      }
      const waitMs = await this.#attempt()
      if (waitMs > 0) await this.#clock.pause(waitMs, this.#stop.signal)
    }
  }

  /** @returns How long to wait before the next attempt. */
  async #attempt(): Promise<number> {
    const current = this.#current
    if (!current) return 0
    current.attempts += 1
    const delivery = await this.#notifier.deliver(current.dispatch.notification, this.#stop.signal)
    const isLate = this.#clock.wallMs() - current.sinceMs > giveUpAfterMs
    this.#noteTrouble(delivery)
    if (delivery.outcome === 'retryable' && !isLate) {
      return Math.max(delivery.retryAfterMs ?? 0, this.#backoff.nextMs())
    }
    const outcome = { delivered: 'delivered', permanent: 'refused', retryable: 'given up' } as const
    const { dispatch, attempts } = current
    const detail = delivery.outcome === 'delivered' ? '' : delivery.reason
    // One that was dropped meanwhile is another evaluator's, but whoever was told was told.
    await this.#sender.ended({ ...dispatch, outcome: outcome[delivery.outcome], attempts, detail })
    if (this.#current === current) this.#current = undefined
    return 0
  }

  #noteTrouble(delivery: Delivery): void {
    if (delivery.outcome === 'delivered') {
      if (this.#trouble) this.#log.info(`alerts reach '${this.#notifier.name}' again`)
      this.#trouble = null
      this.#backoff.reset()
      return
    }
    if (this.#stop.signal.aborted) return
    const isPermanent = delivery.outcome === 'permanent'
    const reason = messageOf(delivery.reason)
    if (isPermanent) this.#log.error(`'${this.#notifier.name}' refuses alerts: ${reason}`)
    else if (!this.#trouble) this.#log.warn(`alerts do not reach '${this.#notifier.name}' for now: ${reason}`)
    const lastAtMs = this.#clock.wallMs()
    this.#trouble = { sinceMs: this.#trouble?.sinceMs ?? lastAtMs, lastAtMs, reason, isPermanent }
  }
}
