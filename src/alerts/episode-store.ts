import type { AlertChanges, EpisodeRef } from './alert-store.ts'
import { type DeliveryState, type Episode, isSettled } from './episode.ts'
import { mergeStored } from './merge-stored.ts'
import type { Signal } from './signal.ts'
import { advance, type MachineRules } from './state-machine.ts'

/** All episodes an evaluator knows, and which of them are not saved as they are now. */
export class EpisodeStore {
  readonly #rules: MachineRules
  readonly #intervalMs: number
  #episodes: readonly Episode[] = []
  /** What the database holds, as text, by id. */
  readonly #saved = new Map<string, string>()
  #lastAtMs: number | null = null

  constructor(rules: MachineRules, intervalMs: number) {
    this.#rules = rules
    this.#intervalMs = intervalMs
  }

  get episodes(): readonly Episode[] {
    return this.#episodes
  }

  look(signals: readonly Signal[], atMs: number): void {
    const look = { atMs, lastAtMs: this.#lastAtMs, intervalMs: this.#intervalMs, signals }
    this.#episodes = advance(this.#episodes, look, this.#rules)
    this.#lastAtMs = atMs
  }

  /** Takes over what another evaluator, or this one before, left in the database. */
  merge(stored: readonly Episode[]): void {
    this.#saved.clear()
    for (const episode of stored) this.#saved.set(episode.id, textOf(episode))
    this.#episodes = mergeStored(this.#episodes, stored)
  }

  /** A receiver was told, or refused to be. */
  note(receiver: string, ref: EpisodeRef, status: DeliveryState['status'], atMs: number): void {
    const meant = this.find(ref)
    this.#episodes = this.#episodes.map((episode) => {
      if (episode !== meant) return episode
      const before = episode.told[receiver]
      const severity = before ? worse(before.severity, episode.severity) : episode.severity
      return { ...episode, told: { ...episode.told, [receiver]: { status, severity, atMs, isShared: false } } }
    })
  }

  /** One that was merged into the database's has got another id, and is the newest of its alert. */
  find({ id, fingerprint }: EpisodeRef): Episode | undefined {
    return (
      this.#episodes.find((episode) => episode.id === id) ??
      this.#episodes.findLast((episode) => episode.fingerprint === fingerprint)
    )
  }

  /** Another evaluator leads: what the database holds is its to tell. */
  leaveSharedToLeader(): void {
    this.#episodes = this.#episodes.map((episode) => ({
      ...episode,
      told: Object.fromEntries(Object.entries(episode.told).filter(([, { isShared }]) => !isShared)),
    }))
  }

  /**
   * Forgets what everybody knows the end of; what is still to be saved only when `isKept` is false.
   *
   * @param underway - Of notifications that are on their way.
   */
  settle(receivers: readonly string[], underway: readonly EpisodeRef[], isKept: boolean): void {
    const carried = new Set(underway.map((ref) => this.find(ref)))
    this.#episodes = this.#episodes.filter((episode) => {
      if (!isSettled(episode, receivers) || carried.has(episode)) return true
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

  /** What was told meanwhile is not in what was saved, and stays to be saved. */
  noteSaved({ episodes, forgotten }: Pick<AlertChanges, 'episodes' | 'forgotten'>): void {
    const saved = new Map(episodes.map((episode) => [episode.id, episode]))
    for (const [id, episode] of saved) this.#saved.set(id, textOf(episode))
    for (const id of forgotten) this.#saved.delete(id)
    this.#episodes = this.#episodes.map((episode) => {
      const as = saved.get(episode.id)
      return as ? { ...episode, told: sharedWhereSame(episode.told, as.told) } : episode
    })
  }
}

function worse(a: DeliveryState['severity'], b: DeliveryState['severity']): DeliveryState['severity'] {
  if (a === 'critical' || b === 'critical') return 'critical'
  return a === 'warning' || b === 'warning' ? 'warning' : 'info'
}

/** Whether it is shared is no part of what is stored: all that is stored is. */
function textOf(episode: Episode): string {
  const told = Object.entries(episode.told).map(([name, { status, severity, atMs }]) => [name, status, severity, atMs])
  return JSON.stringify([{ ...episode, told: null }, told])
}

function sharedWhereSame(told: Episode['told'], saved: Episode['told']): Episode['told'] {
  return Object.fromEntries(
    Object.entries(told).map(([name, entry]) => {
      const same = saved[name]
      const isSame = same?.atMs === entry.atMs && same.status === entry.status
      return [name, isSame ? { ...entry, isShared: true } : entry]
    }),
  )
}
