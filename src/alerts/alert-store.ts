import type { Episode } from './episode.ts'
import type { Notification } from './notification.ts'
import type { Silence } from './silence.ts'

/** A notification for one receiver, with the episodes that it reports. */
export interface Dispatch {
  readonly receiver: string
  readonly notification: Notification
  readonly episodes: readonly EpisodeRef[]
}

export interface EpisodeRef {
  readonly id: string
  readonly fingerprint: string
}

/** The result of a dispatch. */
export interface DispatchOutcome {
  readonly outcome: 'delivered' | 'refused' | 'given up'
  readonly attempts: number
  /** Why it was not delivered; empty otherwise. */
  readonly detail: string
}

/**
 * A dispatch with its outcome. It is `sending` until the outcome is known, so that the next leader sends the same
 * notification again, with the same id.
 */
export type DispatchRecord = Dispatch & {
  readonly outcome: 'sending' | DispatchOutcome['outcome']
  readonly attempts: number
  readonly detail: string
}

export interface AlertChanges {
  readonly episodes: readonly Episode[]
  /** Ids of episodes that were dropped while they were pending; they are deleted. */
  readonly forgotten: readonly string[]
  readonly dispatches: readonly DispatchRecord[]
}

/**
 * A session with the store of alerts. The lead belongs to the session: it is lost when the session ends for any reason,
 * or when another evaluator has seen no sign of life of this one for too long. Only the leader can write.
 */
export interface AlertStore {
  /** Takes the lead if no other session has it; renews it if this session has it. */
  takeLead(): Promise<boolean>
  /** Loads episodes that are open or were resolved recently, and notifications whose outcome is not known. */
  load(): Promise<{ readonly episodes: readonly Episode[]; readonly sending: readonly Dispatch[] }>
  silences(): Promise<readonly Silence[]>
  save(changes: AlertChanges): Promise<void>
  close(): Promise<void>
}
