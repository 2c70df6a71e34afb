import { pause } from '../../runtime/abort.ts'
import type { Database } from '../../store/client/connection.ts'
import { monotonicMs } from './monotonic.ts'

/** The time from which the rows of all messages of a partition below an offset could be read. */
export interface Sighting {
  readonly partition: number
  readonly nextOffset: number
  readonly atMs: number
}

/** Time between two checks. It increases the measured latency by at most this much plus the duration of the check. */
export const checkIntervalMs = 2

const statement = {
  name: 'bench-look',
  text: 'SELECT partition, next_offset AS "nextOffset" FROM kpi_consumer_offsets',
}

/**
 * Watches the pipeline's positions on its own connection. A position moves in the transaction that writes the rows.
 * So when a position is visible, the rows of all messages below it can be read.
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

  /** Sum of the positions over all partitions. */
  get total(): number {
    return [...this.#latest.values()].reduce((sum, offset) => sum + offset, 0)
  }

  start(): void {
    this.#looking ??= this.#look()
    this.#looking.catch(() => undefined) // told by stop
  }

  /** @throws KpiError of a check that failed. Idempotent. */
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
