import type { Episode } from './episode.ts'
import type { Notification } from './notification.ts'
import type { Silence } from './silence.ts'

/** A notification on its way to one receiver, with the episodes that it tells of. */
export interface Dispatch {
  readonly receiver: string
  readonly notification: Notification
  readonly episodes: readonly EpisodeRef[]
}

export interface EpisodeRef {
  readonly id: string
  readonly fingerprint: string
}

/** `sending` until it is known how it ended, so that who takes over sends the same one again, with the same id. */
export interface DispatchRecord extends Dispatch {
  readonly outcome: 'sending' | 'delivered' | 'refused' | 'given up'
  readonly attempts: number
  /** Why it was refused; empty otherwise. */
  readonly detail: string
}

export interface AlertChanges {
  readonly episodes: readonly Episode[]
  /** Of episodes that were pending, and came to nothing. */
  readonly forgotten: readonly string[]
  readonly dispatches: readonly DispatchRecord[]
}

/**
 * One session with the place where alerts are kept. The lead is the session's own: it ends with it, however that happens, or
 * when another evaluator has seen no sign of this one for too long. Who lost it cannot write.
 */
export interface AlertStore {
  /** Takes the lead if nobody has it; asked again it renews it. */
  takeLead(): Promise<boolean>
  /** Episodes that are open or ended lately, and notifications whose end is not known. */
  load(): Promise<{ readonly episodes: readonly Episode[]; readonly sending: readonly Dispatch[] }>
  silences(): Promise<readonly Silence[]>
  save(changes: AlertChanges): Promise<void>
  close(): Promise<void>
}
