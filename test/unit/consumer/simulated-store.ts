import { expect } from 'vitest'
import type { TakenBatch } from '../../../src/consumer/pending-batch.ts'
import { KpiError } from '../../../src/errors.ts'
import { noEpoch } from '../../../src/kpi/leader-epochs.ts'
import type { PartialRow } from '../../../src/kpi/partial.ts'
import { pause } from '../../../src/runtime/abort.ts'
import type { ExpectedPosition, Position } from '../../../src/store/positions/positions.ts'
import type { SimulatedClock } from '../../simulated-clock.ts'
import { type CountedSegment, mergeInto, type SimulatedLog } from './simulated-log.ts'

interface Stored extends Position {
  readonly merged: number
  readonly rejected: number
}

/** What was counted up to a gap, and where counting went on. */
interface AcceptedGap extends CountedSegment {
  readonly next: number
}

/** All that a copy of the database holds. */
interface Contents {
  readonly rows: ReadonlyMap<string, PartialRow>
  readonly letters: readonly string[]
  readonly archived: readonly string[]
  readonly positions: ReadonlyMap<number, Stored>
  readonly gaps: ReadonlyMap<number, readonly AcceptedGap[]>
}

/**
 * A database that keeps what kpi_commit promises, slowly, and with failures before and after a commit. It may become an
 * older copy of itself.
 */
export class SimulatedStore {
  rows = new Map<string, PartialRow>()
  letters: string[] = []
  /** Letters of messages that were cut off the log. */
  archived: string[] = []
  positions = new Map<number, Stored>()
  /** By partition: what was counted up to each gap that was accepted, since the one before. */
  gaps = new Map<number, readonly AcceptedGap[]>()
  /** Whether calls fail now and then, and for a while. */
  isShaky = true
  readonly #clock: SimulatedClock
  readonly #listeners: (() => void)[] = []
  #copy: Contents | undefined
  #awayUntilMs = 0

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  goAway(ms: number): void {
    this.#awayUntilMs = this.#clock.now() + ms
  }

  onConnected(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Goes back to how it was when this was last called, if it was. Workers may or may not notice a new connection. */
  backInTime(): void {
    const { rows, letters, archived, positions, gaps } = this
    const now: Contents = {
      rows: new Map(rows),
      letters: [...letters],
      archived: [...archived],
      positions: new Map(positions),
      gaps: new Map(gaps),
    }
    if (this.#copy !== undefined) {
      this.rows = new Map(this.#copy.rows)
      this.letters = [...this.#copy.letters]
      this.archived = [...this.#copy.archived]
      this.positions = new Map(this.#copy.positions)
      this.gaps = new Map(this.#copy.gaps)
    }
    this.#copy = this.#copy === undefined ? now : undefined
    if (this.#clock.random() < 0.5) for (const listener of this.#listeners) listener()
  }

  /** What `offsets accept-gap` does where the log is not the one that was read. */
  acceptGaps(log: SimulatedLog): void {
    for (const held of this.positions.values()) {
      const { partition } = held
      const divergence = log.divergence(held)
      if (divergence === undefined) continue
      const { agreesTo, epoch } = divergence
      const before = this.gaps.get(partition) ?? []
      const from = this.countedFrom(partition)
      const messages = log.readUpTo(held).slice(from)
      this.gaps.set(partition, [...before, { from, messages, next: agreesTo }])
      this.positions.set(partition, { ...held, nextOffset: agreesTo, leaderEpoch: epoch, epochFrom: -1 })
      const isCut = (letter: string) => {
        const [of, offset] = letter.split('/').map(Number)
        return of === partition && (offset ?? 0) >= agreesTo
      }
      this.archived.push(...this.letters.filter(isCut))
      this.letters = this.letters.filter((letter) => !isCut(letter))
    }
  }

  /** Where counting went on after the last gap. */
  countedFrom(partition: number): number {
    return this.gaps.get(partition)?.at(-1)?.next ?? 0
  }

  async compare(expected: readonly ExpectedPosition[]): Promise<number[]> {
    await this.#hurdle()
    const isElsewhere = (e: ExpectedPosition) => this.positions.get(e.partition)?.nextOffset !== e.nextOffset
    const elsewhere = expected.filter(isElsewhere).map(({ partition }) => partition)
    await pause(this.#clock.random() * 20, undefined, this.#clock)
    return elsewhere
  }

  async open(earliest: ReadonlyMap<number, number>): Promise<Position[]> {
    await this.#hurdle()
    for (const [partition, offset] of earliest) {
      if (this.positions.has(partition)) continue
      const none = { firstOffset: offset, nextOffset: offset, watermarkUs: -1, merged: 0, rejected: 0, ...noEpoch }
      this.positions.set(partition, { partition, ...none })
    }
    return this.read([...earliest.keys()])
  }

  async read(partitions: readonly number[]): Promise<Position[]> {
    await this.#hurdle()
    const found = partitions.flatMap((partition) => this.positions.get(partition) ?? [])
    await pause(this.#clock.random() * 20, undefined, this.#clock)
    return found
  }

  async commit(batch: TakenBatch): Promise<void> {
    await this.#hurdle()
    for (const { partition, expectedOffset } of batch.advances) {
      if (this.positions.get(partition)?.nextOffset !== expectedOffset) {
        throw new KpiError('KPI_POSITION_MOVED', `partition ${partition} has moved`)
      }
    }
    this.#apply(batch)
    // The answer takes its time, and may be lost though all is written.
    await this.#hurdle()
  }

  #apply({ advances, rows, letters }: TakenBatch): void {
    for (const advance of advances) {
      const held = this.positions.get(advance.partition)
      if (held === undefined) throw new Error('a commit without a position')
      const { merged, rejected, withoutMessage, nextOffset, expectedOffset } = advance
      expect(nextOffset - expectedOffset).toBe(merged + rejected + withoutMessage)
      this.positions.set(advance.partition, {
        ...held,
        nextOffset,
        ...(advance.epoch ?? noEpoch),
        watermarkUs: Math.max(held.watermarkUs, advance.watermarkUs),
        merged: held.merged + merged,
        rejected: held.rejected + rejected,
      })
    }
    for (const row of rows) mergeInto(this.rows, row)
    for (const { partition, offset } of letters) this.letters.push(`${partition}/${offset}`)
  }

  /** Some time passes, and something may go wrong. */
  async #hurdle(): Promise<void> {
    await pause(this.#clock.random() * 40, undefined, this.#clock)
    const isAway = this.#clock.now() < this.#awayUntilMs
    if (isAway || (this.isShaky && this.#clock.random() < 0.05)) {
      throw new KpiError('KPI_POSTGRES_UNREACHABLE', 'the simulated database is away')
    }
  }
}
