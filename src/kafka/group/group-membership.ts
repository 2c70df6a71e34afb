import type { Logger } from '../../log.ts'
import type { GroupCoordinator, Refusal } from './group-coordinator.ts'
import type { GroupOwnership } from './group-ownership.ts'

/** What a step came to: how long the next one may wait, or that the group accepts no members of the classic protocol at the moment. */
export type Step =
  | { readonly waitMs: number; readonly refused?: undefined }
  | { readonly refused: Refusal; readonly waitMs?: undefined }

/** What a membership works with. */
export interface MembershipContext {
  readonly coordinator: GroupCoordinator
  readonly ownership: GroupOwnership
  readonly topic: string
  readonly log: Logger
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly metadataIntervalMs: number
  /** Something changed: the next step should not wait. */
  readonly wake: () => void
}

/** The broker is told that much more than a revocation may take: for the way there and back. */
export const revocationMarginMs = 5000

/**
 * A member learns from its heartbeats that others join or leave. Kafka's own clients send one every 3 s; partitions would
 * not be read for that long after each clean leave.
 */
export const maxHeartbeatIntervalMs = 2000

/** A heartbeat without an answer is sent again on a new connection, early enough for the session to survive it. */
export function heartbeatTimeoutMs(sessionTimeoutMs: number): number {
  return Math.min(10_000, sessionTimeoutMs / 3)
}
