import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Backoff } from '../runtime/backoff.ts'
import type { Dispatch, DispatchOutcome } from './alert-store.ts'
import type { Delivery, Notifier } from './notification.ts'

/** Time and randomness for the alerting. */
export interface AlertClock {
  /** Wall clock in milliseconds since the Unix epoch. */
  wallMs(): number
  /** Waits, or returns early when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** A uniform number in [0, 1), for jitter. */
  random(): number
}

/** Why notifications do not reach a receiver. */
export interface DeliveryProblem {
  readonly sinceMs: number
  /** Time of the last failed attempt. */
  readonly lastAtMs: number
  readonly reason: string
  readonly isPermanent: boolean
}

const firstWaitMs = 1000
const maxWaitMs = 60_000
/** A notification that could not be delivered for a day is out of date. */
const giveUpAfterMs = 86_400_000

/**
 * Delivers notifications to one receiver, one at a time, each until its outcome is known. If no answer arrives, the
 * notification is sent again unchanged, with the same id: it may have arrived, and a `resolved` must follow it.
 */
export class NotificationSender {
  readonly receiver: Notifier
  readonly #clock: AlertClock
  readonly #log: Logger
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  #problem: DeliveryProblem | null = null

  constructor(receiver: Notifier, { clock, log }: { readonly clock: AlertClock; readonly log: Logger }) {
    this.receiver = receiver
    this.#clock = clock
    this.#log = log
    this.#backoff = new Backoff({ firstMs: firstWaitMs, capMs: maxWaitMs, random: clock.random })
  }

  /** Null while notifications are delivered. */
  get problem(): DeliveryProblem | null {
    return this.#problem
  }

  /**
   * @param abandon - If aborted, no further attempt is made. An attempt in progress is completed, since it may arrive.
   * @returns Undefined if it was stopped or abandoned before its outcome was known.
   */
  async deliver({ notification }: Dispatch, abandon: AbortSignal): Promise<DispatchOutcome | undefined> {
    const startMs = this.#clock.wallMs()
    const stop = this.#stop.signal
    for (let attempts = 1; !stop.aborted && !abandon.aborted; attempts += 1) {
      const delivery = await this.receiver.deliver(notification, stop)
      const isLate = this.#clock.wallMs() - startMs > giveUpAfterMs
      this.#noteProblem(delivery)
      if (delivery.outcome === 'delivered') return { outcome: 'delivered', attempts, detail: '' }
      if (delivery.outcome === 'permanent') return { outcome: 'refused', attempts, detail: delivery.reason }
      if (isLate) return { outcome: 'given up', attempts, detail: delivery.reason }
      await this.#clock.pause(Math.max(delivery.retryAfterMs ?? 0, this.#backoff.nextMs()), stop)
    }
    return undefined
  }

  /** Aborts the attempt in progress. Its record remains `sending`, so that it is sent again later. Idempotent. */
  stop(): void {
    this.#stop.abort(new KpiError('KPI_USAGE', 'stopped'))
  }

  /** Closes the receiver's connections. Idempotent. */
  close(): Promise<void> {
    return this.receiver.close()
  }

  #noteProblem(delivery: Delivery): void {
    const { name } = this.receiver
    if (delivery.outcome === 'delivered') {
      if (this.#problem) this.#log.info(`alerts reach '${name}' again`)
      this.#problem = null
      this.#backoff.reset()
      return
    }
    if (this.#stop.signal.aborted) return
    const isPermanent = delivery.outcome === 'permanent'
    const reason = messageOf(delivery.reason)
    if (isPermanent) this.#log.error(`'${name}' refuses alerts: ${reason}`)
    else if (!this.#problem) this.#log.warn(`alerts do not reach '${name}' for now: ${reason}`)
    const lastAtMs = this.#clock.wallMs()
    this.#problem = { sinceMs: this.#problem?.sinceMs ?? lastAtMs, lastAtMs, reason, isPermanent }
  }
}
