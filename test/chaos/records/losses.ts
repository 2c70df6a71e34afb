import type { LogEntry } from './partition-log.ts'

/**
 * What leaders held that an unclean election took from the log, by partition. Found in their files before they came back
 * and threw it away: it is what workers may have counted.
 */
export class Losses {
  readonly #logs = new Map<number, readonly LogEntry[]>()

  add(partition: number, log: readonly LogEntry[]): void {
    if (this.#logs.has(partition))
      throw new Error(`partition ${partition} had an unclean election before in this round`)
    this.#logs.set(partition, log)
  }

  /** Those since the last call. */
  take(): ReadonlyMap<number, readonly LogEntry[]> {
    const taken = new Map(this.#logs)
    this.#logs.clear()
    return taken
  }
}
