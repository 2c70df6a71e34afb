import { messageOf } from '../../src/errors.ts'
import { deeds, type Scene, Skipped } from './actions.ts'
import type { FaultBook } from './fault-book.ts'
import { type Action, actionText, type Round, seconds, type Target } from './plan.ts'
import type { QuietPoint } from './quiet-point.ts'

export interface ChaosRunOptions {
  readonly rounds: readonly Round[]
  readonly scene: Scene
  readonly faults: FaultBook
  readonly quietPoint: QuietPoint
  readonly say: (line: string) => void
  readonly failed: (why: string) => void
  /** Aborted by the first failure, or by whoever runs us. */
  readonly signal: AbortSignal
}

/** Goes through the schedule: rounds of load and faults, each followed by a quiet point. */
export class ChaosRun {
  readonly #options: ChaosRunOptions
  readonly #counts = new Map<string, number>()
  #position = '0'

  constructor(options: ChaosRunOptions) {
    this.#options = options
  }

  /** Of the last action that was begun. */
  get position(): string {
    return this.#position
  }

  /** How often each kind was done, or skipped. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  async run(): Promise<void> {
    const { rounds, scene, quietPoint, signal, say } = this.#options
    for (const round of rounds) {
      say(`round ${round.number} of ${rounds.length}: ${round.actions.length} actions`)
      scene.load.start()
      await this.#perform(round)
      if (signal.aborted) return
      await quietPoint.reach()
      if (signal.aborted) return
    }
  }

  /** Each at its time, and those on the same target one after the other, however long they take. */
  async #perform(round: Round): Promise<void> {
    const { scene, signal } = this.#options
    const startedAtMs = performance.now()
    const underWay = new Map<Target, Promise<void>>()
    for (const action of round.actions) {
      await scene.pause(Math.max(0, startedAtMs + action.atMs - performance.now()))
      if (signal.aborted) break
      const before = underWay.get(action.target) ?? Promise.resolve()
      underWay.set(
        action.target,
        before.then(() => this.#do(action)),
      )
    }
    // Also after a failure: what an action has taken away it brings back before everything is cleared away.
    await Promise.all(underWay.values())
  }

  async #do(action: Action): Promise<void> {
    const { scene, faults, failed, signal } = this.#options
    if (signal.aborted) return
    this.#position = action.position
    scene.note(action, actionText(action))
    const ended = faults.begin()
    const sinceMs = performance.now()
    try {
      const outcome = await deeds[action.kind](scene, action)
      this.#count(action.kind)
      const took = performance.now() - sinceMs
      if (outcome !== undefined || took > 1000) {
        scene.note(action, `${action.kind}: over after ${seconds(took).trim()}${outcome ? `, ${outcome}` : ''}`)
      }
    } catch (error) {
      if (error instanceof Skipped) {
        this.#count(`${action.kind} (skipped)`)
        scene.note(action, `${action.kind}: skipped, ${error.message}`)
      } else if (!signal.aborted) failed(`${action.kind} did not work: ${messageOf(error)}`)
    } finally {
      ended()
    }
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }
}
