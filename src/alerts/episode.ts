import type { Severity, Stage } from '../observe/finding.ts'

/** What one receiver knows of an episode. */
export interface DeliveryState {
  /**
   * `firing`: it was told, and is owed the end. `resolved`: it was told the end. `refused`: it would not take it, so it is
   * owed nothing, and asked again at the next repeat.
   */
  readonly status: 'firing' | 'resolved' | 'refused'
  /** The worst it was told of in this episode. */
  readonly severity: Severity
  readonly atMs: number
  /** It stands in the database too: then whoever leads owes the end, and not who told the beginning. */
  readonly isShared: boolean
}

/**
 * One trouble from its beginning to its end; instants in milliseconds since the Unix epoch, never changed in place.
 *
 *     (inactive) → pending → firing → resolved
 *         ↑____________|
 *
 * What clears while it is pending was never an alert, and is forgotten. A resolved episode stays until every receiver
 * that was told of it knows.
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
  /** Since when it is not found any more, although it could be. */
  readonly clearSinceMs: number | null
  /** Since when nobody can tell. */
  readonly unknownSinceMs: number | null
  readonly inhibitedBy: string | null
  /** By the receiver's name. */
  readonly told: Readonly<Record<string, DeliveryState>>
}

/** Whether nobody is owed a word of it any more. */
export function isSettled({ state, told }: Episode, receivers: readonly string[]): boolean {
  return state === 'resolved' && receivers.every((name) => told[name]?.status !== 'firing')
}
