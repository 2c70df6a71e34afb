import { expect } from 'vitest'
import type { TakenBatch } from '../../../src/consumer/pending-batch.ts'
import { KpiError } from '../../../src/errors.ts'
import type { PartialRow } from '../../../src/kpi/partial.ts'
import type { Position } from '../../../src/store/positions.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import { mergeInto } from './simulated-log.ts'

interface Stored extends Position {
  readonly merged: number
  readonly rejected: number
}

/** A database that keeps what kpi_commit promises, slowly, and with failures before and after a commit. */
export class SimulatedStore {
  readonly rows = new Map<string, PartialRow>()
  readonly letters: string[] = []
  readonly positions = new Map<number, Stored>()
  /** Whether calls fail now and then, and for a while. */
  isShaky = true
  readonly #clock: SimulatedClock
  #awayUntilMs = 0

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  goAway(ms: number): void {
    this.#awayUntilMs = this.#clock.now() + ms
  }

  async open(earliest: ReadonlyMap<number, number>): Promise<Position[]> {
    await this.#hurdle()
    for (const [partition, offset] of earliest) {
      if (this.positions.has(partition)) continue
      const none = { firstOffset: offset, nextOffset: offset, watermarkUs: -1, merged: 0, rejected: 0 }
      this.positions.set(partition, { partition, ...none })
    }
    return this.read([...earliest.keys()])
  }

  async read(partitions: readonly number[]): Promise<Position[]> {
    await this.#hurdle()
    const found = partitions.flatMap((partition) => this.positions.get(partition) ?? [])
    await this.#clock.sleep(this.#clock.random() * 20)
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
    await this.#clock.sleep(this.#clock.random() * 40)
    const isAway = this.#clock.now() < this.#awayUntilMs
    if (isAway || (this.isShaky && this.#clock.random() < 0.05)) {
      throw new KpiError('KPI_POSTGRES_UNREACHABLE', 'the simulated database is away')
    }
  }
}
