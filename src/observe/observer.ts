import type { Thresholds } from '../config/thresholds.ts'
import { type Assessment, assess } from './assess.ts'
import { type CollectOptions, collect } from './collect.ts'
import { SnapshotHistory } from './history.ts'
import type { PipelineSnapshot } from './snapshot.ts'

export interface Observation {
  readonly snapshot: PipelineSnapshot
  readonly assessment: Assessment
}

/** Brokers and database are queried at most every two seconds, however many callers there are. */
const freshMs = 2000

/**
 * Observes the pipeline on request, and keeps the history that rules over time need. Callers share an observation that
 * is in progress or less than two seconds old. It never observes by itself, and holds no connection between two
 * observations.
 */
export class Observer {
  readonly #options: CollectOptions
  readonly #thresholds: Thresholds
  readonly #now: () => number
  readonly #history = new SnapshotHistory()
  #pending: Promise<Observation> | undefined
  #last: { readonly atMs: number; readonly observation: Observation } | undefined

  /** @param now - Wall clock in milliseconds since 1970. */
  constructor(options: CollectOptions, thresholds: Thresholds, now: () => number = Date.now) {
    this.#options = options
    this.#thresholds = thresholds
    this.#now = now
  }

  /** @param maxAgeMs - How old the observation may be. @defaultValue 2000 */
  async observe(maxAgeMs = freshMs): Promise<Observation> {
    if (this.#last && performance.now() - this.#last.atMs < maxAgeMs) return this.#last.observation
    this.#pending ??= this.#look().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #look(): Promise<Observation> {
    const atMs = performance.now()
    const snapshot = await collect(this.#options, this.#now)
    this.#history.add(snapshot)
    // Rules compare with the time at which the snapshot was started, however long the answers took.
    const assessment = assess(snapshot, this.#history, this.#thresholds, snapshot.takenAtMs)
    const observation = { snapshot, assessment }
    this.#last = { atMs, observation }
    return observation
  }
}
