import type { Delivery, Notification, Notifier } from '../notification.ts'

/** Time and chance, passed in. */
export interface RetryClock {
  nowMs(): number
  /** Waits, or returns early when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** A uniform number in [0, 1). */
  random(): number
}

export interface RetryPolicy {
  /** The first wait, before jitter; each next one is twice as long. */
  readonly firstMs: number
  /** No wait is longer, unless the receiver asks for it. */
  readonly capMs: number
  /** No attempt begins later than so long after the first. */
  readonly deadlineMs: number
}

/** How the last attempt ended, and how many there were. */
export type RetriedDelivery = Delivery & { readonly attempts: number }

/**
 * Attempts until it is delivered, refused for good, aborted or too late. Waits double, with a jitter between half and
 * the whole of each, so that many evaluators do not knock at once; a receiver's Retry-After is a lower bound. Where it
 * reaches past the deadline there is no further attempt, and the caller is told at once.
 */
export async function deliverWithRetries(
  notifier: Notifier,
  notification: Notification,
  given: { readonly policy: RetryPolicy; readonly clock: RetryClock; readonly signal: AbortSignal },
): Promise<RetriedDelivery> {
  const { policy, clock, signal } = given
  const deadlineMs = clock.nowMs() + policy.deadlineMs
  for (let attempts = 1; ; attempts += 1) {
    const delivery = await notifier.deliver(notification, signal)
    if (delivery.outcome !== 'retryable' || signal.aborted) return { ...delivery, attempts }
    const waitMs = Math.max(delivery.retryAfterMs ?? 0, backoffMs(policy, attempts, clock.random()))
    if (clock.nowMs() + waitMs > deadlineMs) return { ...delivery, attempts }
    await clock.pause(waitMs, signal)
    if (signal.aborted) return { ...delivery, attempts }
  }
}

function backoffMs({ firstMs, capMs }: RetryPolicy, attempts: number, random: number): number {
  const wholeMs = Math.min(capMs, firstMs * 2 ** Math.min(attempts - 1, 30))
  return wholeMs * (0.5 + random / 2)
}
