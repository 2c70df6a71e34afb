import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type Clock, every } from '../runtime/clock.ts'
import type { ExpectedPosition, Position } from '../store/positions/positions.ts'
import type { Lane } from './lane.ts'

export interface PositionWatchOptions {
  readonly lanes: readonly Pick<Lane, 'restingPositions' | 'restart'>[]
  /** See WorkerPorts. @throws KpiError */
  readonly comparePositions: (expected: readonly ExpectedPosition[]) => Promise<number[]>
  readonly log: Logger
  readonly clock: Clock
}

const compareIntervalMs = 5000

/**
 * Compares the positions that a worker expects with those in the database: every five seconds, and after each new
 * connection. A commit compares the positions of its batch, but a partition without new messages has no commits: after
 * a failover to a standby that was behind, or after a backup was restored, its last messages would never be counted.
 * This class also records which partitions are idle, and counts positions that moved back.
 */
export class PositionWatch {
  readonly #options: PositionWatchOptions
  /** The offset up to which the database has confirmed its content. */
  readonly #confirmed = new Map<number, number>()
  #stop: () => void = () => undefined
  #comparing: Promise<void> | undefined
  #isWantedAgain = false
  #movedBack = 0

  constructor(options: PositionWatchOptions) {
    this.#options = options
  }

  /** How often a position was found to be before one that the database had confirmed. */
  get movedBack(): number {
    return this.#movedBack
  }

  start(): void {
    this.#stop = every(this.#options.clock, compareIntervalMs, () => this.compare())
  }

  stop(): void {
    this.#stop()
  }

  /** Compares now; a call during a comparison starts one more. */
  compare(): void {
    this.#isWantedAgain = this.#comparing !== undefined
    this.#comparing ??= this.#compareAll().finally(() => {
      this.#comparing = undefined
      if (this.#isWantedAgain) this.compare()
    })
  }

  /** Records that the database has confirmed a batch up to this offset. */
  confirm(partition: number, nextOffset: number): void {
    this.#confirmed.set(partition, nextOffset)
  }

  /** Records that reading continues at these positions, which were just read. */
  resume(positions: readonly Position[]): void {
    for (const { partition, nextOffset } of positions) {
      const confirmed = this.#confirmed.get(partition)
      if (confirmed !== undefined && nextOffset < confirmed) {
        this.#movedBack += 1
        this.#options.log.warn(
          `the position of partition ${partition} moved back from offset ${confirmed} to ${nextOffset}: the database is an ` +
            'older copy of what it was; reading its messages again from there',
        )
      }
      this.#confirmed.set(partition, nextOffset)
    }
  }

  /** Forgets partitions that this worker has given up: their positions may now be moved by other workers. */
  forget(partitions: readonly number[]): void {
    for (const partition of partitions) this.#confirmed.delete(partition)
  }

  async #compareAll(): Promise<void> {
    const { lanes, log } = this.#options
    const expected = lanes.map((lane) => lane.restingPositions)
    try {
      const elsewhere = new Set(await this.#options.comparePositions(expected.flat()))
      if (elsewhere.size === 0) return
      for (const [index, lane] of lanes.entries()) {
        const asked = (expected[index] ?? []).filter(({ partition }) => elsewhere.has(partition))
        // A batch may have moved the position since the query was sent.
        const isMoved = lane.restingPositions.some(({ partition, nextOffset }) =>
          asked.some((other) => other.partition === partition && other.nextOffset === nextOffset),
        )
        if (!isMoved) continue
        log.info('a position in the database is not where this worker left it: reading the positions again')
        lane.restart()
      }
    } catch (error) {
      log.debug(`positions are not compared for now: ${messageOf(error)}`)
    }
  }
}
