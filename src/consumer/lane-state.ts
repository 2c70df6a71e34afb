import { assert } from '../errors.ts'

/**
 * The state of a lane (lane.ts). It is stored only here, and changes only by the methods below.
 *
 *   waiting     No batch is being committed: too few rows are pending, and the oldest has not waited long enough.
 *   committing  A batch is being written to the database. Records fetched meanwhile join the next batch.
 *   retrying    The commit failed with a transient error and is retried with the same batch. Nothing is fetched.
 *   resetting   A position differs from the expected one. Pending records are discarded, the commit in progress (if
 *               any) ends, then the positions are read again. A further reset starts this state over.
 *   stopped     Nothing is committed any more. Final.
 *
 *   waiting ──batchTaken──▶ committing ──commitFailed──▶ retrying
 *      ▲                        │                           │
 *      ├─────commitEnded────────┴───────────────────────────┘
 *      └─────positionsRead──── resetting ◀──reset── every state but stopped
 *                              stopped   ◀──stop─── every state
 */
export type LaneState =
  | { readonly name: 'waiting' }
  | {
      readonly name: 'committing' | 'retrying'
      /** The partitions whose positions the batch advances. */
      readonly partitions: ReadonlySet<number>
    }
  | {
      readonly name: 'resetting'
      /** Whether the last query to the database failed. */
      readonly isFailing: boolean
    }
  | { readonly name: 'stopped' }

export class LaneStates {
  #current: LaneState = { name: 'waiting' }
  readonly #changed: () => void

  /** @param changed - Called after each change of the state. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** A new object for each change, so that a caller can detect a change by comparing objects. */
  get current(): LaneState {
    return this.#current
  }

  is(name: LaneState['name']): boolean {
    return this.#current.name === name
  }

  /** The partitions of the batch that is committing or retrying. */
  get inFlight(): ReadonlySet<number> | undefined {
    return 'partitions' in this.#current ? this.#current.partitions : undefined
  }

  /** Whether the last query to the database failed. */
  get isFailing(): boolean {
    return this.is('retrying') || ('isFailing' in this.#current && this.#current.isFailing)
  }

  batchTaken(partitions: ReadonlySet<number>): void {
    assert(this.is('waiting'), 'one batch in flight')
    this.#enter({ name: 'committing', partitions })
  }

  /** Has no effect when a reset or a stop has made the batch obsolete. */
  commitFailed(): void {
    if (this.inFlight) this.#enter({ name: 'retrying', partitions: this.inFlight })
  }

  /** As {@link commitFailed}. */
  commitEnded(): void {
    if (this.inFlight) this.#enter({ name: 'waiting' })
  }

  reset(): void {
    if (!this.is('stopped')) this.#enter({ name: 'resetting', isFailing: this.isFailing })
  }

  /** Records that the positions could not be read. */
  readFailed(): void {
    if (this.is('resetting')) this.#enter({ name: 'resetting', isFailing: true })
  }

  positionsRead(): void {
    assert(this.is('resetting'), 'a reset that asked for the positions')
    this.#enter({ name: 'waiting' })
  }

  stop(): void {
    this.#enter({ name: 'stopped' })
  }

  #enter(state: LaneState): void {
    this.#current = state
    this.#changed()
  }
}
