import type { Database } from './connection.ts'

/** How long queries waited for a connection of a pool, from one call to the next. */
export class PoolWaitMeter {
  readonly #database: Pick<Database, 'acquireWaitedMs' | 'takeLongestAcquireMs'>
  #atMs: number
  #waitedMs: number

  constructor(database: Pick<Database, 'acquireWaitedMs' | 'takeLongestAcquireMs'>, nowMs: number) {
    this.#database = database
    this.#atMs = nowMs
    this.#waitedMs = database.acquireWaitedMs()
  }

  /**
   * Since the call before.
   *
   * @param nowMs - Monotonic.
   * @param isSaturated - A caller is known to have waited all the time.
   * @returns The share of the time in which at least one query waited, in percent, and the longest wait.
   */
  interval(nowMs: number, isSaturated: boolean): { readonly percent: number; readonly longestMs: number } {
    const waitedMs = this.#database.acquireWaitedMs()
    const passedMs = nowMs - this.#atMs
    const share = passedMs > 0 ? Math.min(1, (waitedMs - this.#waitedMs) / passedMs) : 0
    this.#atMs = nowMs
    this.#waitedMs = waitedMs
    const percent = isSaturated ? 100 : Math.round(share * 10_000) / 100
    return { percent, longestMs: this.#database.takeLongestAcquireMs() }
  }
}
