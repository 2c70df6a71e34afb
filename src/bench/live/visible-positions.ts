import { pause } from '../../runtime/abort.ts'
import type { Database } from '../../store/client/connection.ts'
import { monotonicMs } from './monotonic.ts'

/** From a time on, everything of a partition below an offset could be read in the rows. */
export interface Sighting {
  readonly partition: number
  readonly nextOffset: number
  readonly atMs: number
}

/** How long between two looks: added to what is measured, with the look itself, at most. */
export const checkIntervalMs = 2

const statement = {
  name: 'bench-look',
  text: 'SELECT partition, next_offset AS "nextOffset" FROM kpi_consumer_offsets',
}

/**
 * Watches on a connection of its own how the pipeline's positions move. They move in the transaction that writes the
 * rows, so whoever sees a position could read the rows of everything below it.
 */
export class VisiblePositions {
  readonly #database: Database
  readonly #sightings: Sighting[] = []
  readonly #latest = new Map<number, number>()
  readonly #stopping = new AbortController()
  #looking: Promise<void> | undefined

  constructor(database: Database) {
    this.#database = database
  }

  get sightings(): readonly Sighting[] {
    return this.#sightings
  }

  /** Offsets below the positions, in all. */
  get total(): number {
    return [...this.#latest.values()].reduce((sum, offset) => sum + offset, 0)
  }

  start(): void {
    this.#looking ??= this.#look()
    this.#looking.catch(() => undefined) // told by stop
  }

  /** @throws KpiError of a look that failed. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#looking
  }

  async #look(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const rows = await this.#database.query<{ partition: number; nextOffset: number }>(statement)
      const atMs = monotonicMs()
      for (const { partition, nextOffset } of rows) {
        if (this.#latest.get(partition) === nextOffset) continue
        this.#latest.set(partition, nextOffset)
        this.#sightings.push({ partition, nextOffset, atMs })
      }
      await pause(checkIntervalMs, this.#stopping.signal)
    }
  }
}
