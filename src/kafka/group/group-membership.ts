import type { Logger } from '../../log.ts'
import type { GroupCoordinator, Refusal } from './group-coordinator.ts'
import type { GroupOwnership } from './group-ownership.ts'

/**
 * The result of a step: the longest time until the next one, or that the group does not accept members of the classic
 * protocol at the moment.
 */
export type Step =
  | { readonly waitMs: number; readonly refused?: undefined }
  | { readonly refused: Refusal; readonly waitMs?: undefined }

/** What a membership depends on. */
export interface MembershipContext {
  readonly coordinator: GroupCoordinator
  readonly ownership: GroupOwnership
  readonly topic: string
  readonly log: Logger
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly metadataIntervalMs: number
  /** Called after a change, so that the next step runs without delay. */
  readonly wake: () => void
}

/** Added to the revocation timeout that is sent to the broker, to allow for network delays. */
export const revocationMarginMs = 5000

/**
 * Heartbeats show a member that others join or leave. Kafka's own clients send one every 3 s, and for that time
 * partitions would not be read after each clean leave.
 */
export const maxHeartbeatIntervalMs = 2000

/** An unanswered heartbeat is repeated on a new connection, early enough to keep the session. */
export function heartbeatTimeoutMs(sessionTimeoutMs: number): number {
  return Math.min(10_000, sessionTimeoutMs / 3)
}
