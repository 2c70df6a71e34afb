import type { AlertChanges, DispatchRecord, EpisodeRef } from './alert-store.ts'
import { type DeliveryState, type Episode, isSettled } from './episode.ts'
import { mergeStored } from './merge-stored.ts'
import type { Signal } from './signal.ts'
import { advance, type MachineRules } from './state-machine.ts'

/** All episodes that an evaluator knows. Tracks which of them differ from the database. */
export class EpisodeStore {
  readonly #rules: MachineRules
  readonly #intervalMs: number
  #episodes: readonly Episode[] = []
  /** The saved version of each episode, as text, by id. */
  readonly #saved = new Map<string, string>()
  #lastAtMs: number | null = null

  constructor(rules: MachineRules, intervalMs: number) {
    this.#rules = rules
    this.#intervalMs = intervalMs
  }

  get episodes(): readonly Episode[] {
    return this.#episodes
  }

  /** Advances the episodes by one observation of the pipeline. */
  observe(signals: readonly Signal[], atMs: number): void {
    const observation = { atMs, lastAtMs: this.#lastAtMs, intervalMs: this.#intervalMs, signals }
    this.#episodes = advance(this.#episodes, observation, this.#rules)
    this.#lastAtMs = atMs
  }

  /** Merges the episodes that another evaluator, or an earlier run of this one, saved in the database. */
  merge(stored: readonly Episode[]): void {
    this.#saved.clear()
    for (const episode of stored) this.#saved.set(episode.id, textOf(episode))
    this.#episodes = mergeStored(this.#episodes, stored)
  }

  /** Records that a notification was delivered, or that its delivery failed permanently. */
  noteOutcome({ receiver, notification, episodes, outcome }: DispatchRecord, atMs: number): void {
    for (const ref of episodes) {
      // A receiver that already knows the alert must still get `resolved`. A `resolved` that it refused is not sent
      // again.
      const isKnown = outcome === 'delivered' || this.#find(ref)?.deliveries[receiver]?.status === 'firing'
      const status = notification.reason === 'resolved' ? 'resolved' : isKnown ? 'firing' : 'refused'
      this.#noteDelivery(receiver, ref, { status, atMs })
    }
  }

  #noteDelivery(receiver: string, ref: EpisodeRef, { status, atMs }: Pick<DeliveryState, 'status' | 'atMs'>): void {
    const meant = this.#find(ref)
    this.#episodes = this.#episodes.map((episode) => {
      if (episode !== meant) return episode
      const before = episode.deliveries[receiver]
      const severity = before ? worse(before.severity, episode.severity) : episode.severity
      const delivery = { status, severity, atMs, isShared: false }
      return { ...episode, deliveries: { ...episode.deliveries, [receiver]: delivery } }
    })
  }

  /** If the episode was merged with one of the database, it has another id now; it is the newest of its alert. */
  #find({ id, fingerprint }: EpisodeRef): Episode | undefined {
    return (
      this.#episodes.find((episode) => episode.id === id) ??
      this.#episodes.findLast((episode) => episode.fingerprint === fingerprint)
    )
  }

  /**
   * Another evaluator leads: it sends `resolved` for all deliveries that are in the database, so they are dropped here.
   */
  leaveSharedToLeader(): void {
    this.#episodes = this.#episodes.map((episode) => ({
      ...episode,
      deliveries: Object.fromEntries(Object.entries(episode.deliveries).filter(([, { isShared }]) => !isShared)),
    }))
  }

  /**
   * Drops resolved episodes that need no further notification; if `isKept`, only those whose current state is saved.
   *
   * @param underway - Episodes of notifications that are being sent.
   */
  settle(receivers: readonly string[], underway: readonly EpisodeRef[], isKept: boolean): void {
    const sending = new Set(underway.map((ref) => this.#find(ref)))
    this.#episodes = this.#episodes.filter((episode) => {
      if (!isSettled(episode, receivers) || sending.has(episode)) return true
      if (isKept && this.#saved.get(episode.id) !== textOf(episode)) return true
      this.#saved.delete(episode.id)
      return false
    })
  }

  changes(): Pick<AlertChanges, 'episodes' | 'forgotten'> {
    const ids = new Set(this.#episodes.map(({ id }) => id))
    return {
      episodes: this.#episodes.filter((episode) => this.#saved.get(episode.id) !== textOf(episode)),
      forgotten: [...this.#saved.keys()].filter((id) => !ids.has(id)),
    }
  }

  /**
   * Records what was saved. A delivery that was recorded during the save is not part of it, and is still to be saved.
   */
  noteSaved({ episodes, forgotten }: Pick<AlertChanges, 'episodes' | 'forgotten'>): void {
    const saved = new Map(episodes.map((episode) => [episode.id, episode]))
    for (const [id, episode] of saved) this.#saved.set(id, textOf(episode))
    for (const id of forgotten) this.#saved.delete(id)
    this.#episodes = this.#episodes.map((episode) => {
      const as = saved.get(episode.id)
      return as ? { ...episode, deliveries: sharedWhereSame(episode.deliveries, as.deliveries) } : episode
    })
  }
}

function worse(a: DeliveryState['severity'], b: DeliveryState['severity']): DeliveryState['severity'] {
  if (a === 'critical' || b === 'critical') return 'critical'
  return a === 'warning' || b === 'warning' ? 'warning' : 'info'
}

/** All stored fields. `isShared` is not stored, since everything in the database is shared. */
function textOf(episode: Episode): string {
  const deliveries = Object.entries(episode.deliveries).map(([name, { status, severity, atMs }]) => {
    return [name, status, severity, atMs]
  })
  return JSON.stringify([{ ...episode, deliveries: null }, deliveries])
}

function sharedWhereSame(deliveries: Episode['deliveries'], saved: Episode['deliveries']): Episode['deliveries'] {
  return Object.fromEntries(
    Object.entries(deliveries).map(([name, delivery]) => {
      const same = saved[name]
      const isSame = same?.atMs === delivery.atMs && same.status === delivery.status
      return [name, isSame ? { ...delivery, isShared: true } : delivery]
    }),
  )
}
