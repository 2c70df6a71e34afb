import type { Severity, Stage } from '../observe/finding.ts'

/** What one receiver was sent about an episode. */
export interface DeliveryState {
  /**
   * `firing`: it got a `firing` notification, and must get `resolved` when the alert ends. `resolved`: it got that too.
   * `refused`: it rejected the notification. It gets no `resolved`, and `firing` is sent again at the repeat interval.
   */
  readonly status: 'firing' | 'resolved' | 'refused'
  /** The worst severity that was sent to it in this episode. */
  readonly severity: Severity
  readonly atMs: number
  /**
   * Whether the database has this state: then the leader sends `resolved`, otherwise the evaluator that sent `firing`.
   */
  readonly isShared: boolean
}

/**
 * One alert from its start to its end. Immutable; times are in milliseconds since the Unix epoch.
 *
 *     (inactive) → pending → firing → resolved
 *         ↑____________|
 *
 * An episode whose finding disappears while it is pending is dropped. A resolved episode is kept until every receiver
 * that got `firing` has got `resolved`.
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
  /** The start of its `for` period. */
  readonly pendingSinceMs: number
  /** Since when the finding has been absent, in observations that could evaluate the rule. */
  readonly clearSinceMs: number | null
  /** Since when no observation could evaluate the rule. */
  readonly unknownSinceMs: number | null
  readonly inhibitedBy: string | null
  /** Keyed by the receiver's name. */
  readonly deliveries: Readonly<Record<string, DeliveryState>>
}

/** Whether the episode is resolved and no receiver needs a further notification about it. */
export function isSettled({ state, deliveries }: Episode, receivers: readonly string[]): boolean {
  return state === 'resolved' && receivers.every((name) => deliveries[name]?.status !== 'firing')
}
