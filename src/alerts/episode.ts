import type { Severity, Stage } from '../observe/finding.ts'

/** What one receiver knows of an episode. */
export interface DeliveryState {
  /**
   * `firing`: it got a notification that the alert fires, and must get one when it ends. `resolved`: it got that one too.
   * `refused`: it rejected the notification, so that it gets no end, and is tried again at the next repeat.
   */
  readonly status: 'firing' | 'resolved' | 'refused'
  /** The worst severity that it was notified of in this episode. */
  readonly severity: Severity
  readonly atMs: number
  /** The database has this state too: whoever leads sends the end. Otherwise the evaluator that notified sends it. */
  readonly isShared: boolean
}

/**
 * One alert from its beginning to its end; instants in milliseconds since the Unix epoch, never changed in place.
 *
 *     (inactive) → pending → firing → resolved
 *         ↑____________|
 *
 * What clears while it is pending was never an alert, and is forgotten. A resolved episode is kept until every receiver
 * that knows of it got its end.
 */
export interface Episode {
  readonly id: string
  readonly fingerprint: string
  readonly rule: string
  readonly severity: Severity
  readonly stage: Stage
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly value: number | null
  readonly unit: string | null
  readonly state: 'pending' | 'firing' | 'resolved'
  readonly startedAtMs: number
  readonly firedAtMs: number | null
  readonly resolvedAtMs: number | null
  /** From when its `for` counts. */
  readonly pendingSinceMs: number
  /** Since when observations that could find it have not found it. */
  readonly clearSinceMs: number | null
  /** Since when no observation could judge it. */
  readonly unknownSinceMs: number | null
  readonly inhibitedBy: string | null
  /** By the receiver's name. */
  readonly deliveries: Readonly<Record<string, DeliveryState>>
}

/** Whether no receiver has to get anything more about it. */
export function isSettled({ state, deliveries }: Episode, receivers: readonly string[]): boolean {
  return state === 'resolved' && receivers.every((name) => deliveries[name]?.status !== 'firing')
}
