import type { Logger } from '../../log.ts'
import type { GroupCoordinator, Refusal } from './group-coordinator.ts'
import type { GroupOwnership } from './group-ownership.ts'

export type GroupProtocol = 'consumer' | 'classic'

/** What a step came to: how long the next one may wait, or that the group takes no members of this protocol. */
export type Step =
  | { readonly waitMs: number; readonly refused?: undefined }
  | { readonly refused: Refusal; readonly waitMs?: undefined }

/** Who a member is to the coordinator. */
export interface MemberIdentity {
  readonly protocol: GroupProtocol
  readonly memberId: string
}

/** One way of being a member. It is driven from outside, a step at a time, so that nothing is said after the end. */
export interface Membership {
  readonly protocol: GroupProtocol
  readonly state: 'joining' | 'stable' | 'rebalancing'
  /**
   * Does what is next: one request to the coordinator.
   *
   * @throws KpiError when that failed: a retryable one says nothing about the membership, the same step comes again.
   */
  step(): Promise<Step>
  /** @throws KpiError when the coordinator does not take them, or cannot be asked. */
  commit(offsets: ReadonlyMap<number, number>): Promise<void>
  /**
   * Tells the coordinator that we go. There will be no more steps; `lastStep` resolves when the one in flight is over.
   *
   * @throws KpiError when it could not be told.
   */
  leave(lastStep: Promise<void>, timeoutMs: number): Promise<void>
}

/** What both protocols work with. */
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
 * A member hears of others that come and go when it asks. Kafka proposes 5 s (KIP-848) or 3 s, and asks for no less; that
 * long partitions would stand still after each clean leave.
 */
export const maxHeartbeatIntervalMs = 2000

/** A heartbeat without an answer is sent again on a new connection, early enough for the session to survive it. */
export function heartbeatTimeoutMs(sessionTimeoutMs: number): number {
  return Math.min(10_000, sessionTimeoutMs / 3)
}
