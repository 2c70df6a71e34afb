import type { Episode } from './episode.ts'
import type { Notification } from './notification.ts'
import type { Silence } from './silence.ts'

/** A notification for one receiver, with the episodes that it is about. */
export interface Dispatch {
  readonly receiver: string
  readonly notification: Notification
  readonly episodes: readonly EpisodeRef[]
}

export interface EpisodeRef {
  readonly id: string
  readonly fingerprint: string
}

/** How a dispatch ended. */
export interface DispatchOutcome {
  readonly outcome: 'delivered' | 'refused' | 'given up'
  readonly attempts: number
  /** Why it was not delivered; empty otherwise. */
  readonly detail: string
}

/** `sending` until its outcome is known, so that whoever takes over sends the same one again, with the same id. */
export type DispatchRecord = Dispatch & {
  readonly outcome: 'sending' | DispatchOutcome['outcome']
  readonly attempts: number
  readonly detail: string
}

export interface AlertChanges {
  readonly episodes: readonly Episode[]
  /** Ids of episodes that ended while they were pending. */
  readonly forgotten: readonly string[]
  readonly dispatches: readonly DispatchRecord[]
}

/**
 * One session with the place where alerts are kept. The lead belongs to the session: it ends with the session, however that
 * happens, or when another evaluator has seen no sign of this one for too long. Who lost the lead cannot write.
 */
export interface AlertStore {
  /** Takes the lead if no other session has it; a further call renews it. */
  takeLead(): Promise<boolean>
  /** Episodes that are open or ended lately, and notifications whose outcome is not known. */
  load(): Promise<{ readonly episodes: readonly Episode[]; readonly sending: readonly Dispatch[] }>
  silences(): Promise<readonly Silence[]>
  save(changes: AlertChanges): Promise<void>
  close(): Promise<void>
}
