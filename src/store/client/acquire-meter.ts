/**
 * How long calls wait for a connection of a pool. A pool serves its callers in order, and emits an event when one is
 * served, but not which one: it is the one that has waited longest.
 */
export class AcquireMeter {
  readonly #now: () => number
  readonly #waiting = new Set<{ readonly sinceMs: number }>()
  #longestMs = 0
  /** The time in which at least one caller waited, up to the last moment when none did. */
  #waitedMs = 0
  #someoneSinceMs = 0

  /** @param now - Milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** A caller was served. */
  readonly served = (): void => {
    for (const first of this.#waiting) {
      this.#end(first)
      return
    }
  }

  /** Runs something that begins by waiting for a connection. */
  async measure<T>(work: () => Promise<T>): Promise<T> {
    const call = { sinceMs: this.#now() }
    if (this.#waiting.size === 0) this.#someoneSinceMs = call.sinceMs
    this.#waiting.add(call)
    try {
      return await work()
    } finally {
      // It failed before it was served.
      this.#end(call)
    }
  }

  /** The longest wait since this was last asked for, those that still last included; milliseconds. */
  takeLongestMs(): number {
    const nowMs = this.#now()
    for (const { sinceMs } of this.#waiting) this.#longestMs = Math.max(this.#longestMs, nowMs - sinceMs)
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return longestMs
  }

  /** The time, since the beginning, in which at least one call waited; milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs + (this.#waiting.size > 0 ? this.#now() - this.#someoneSinceMs : 0)
  }

  #end(call: { readonly sinceMs: number }): void {
    if (!this.#waiting.delete(call)) return
    const nowMs = this.#now()
    this.#longestMs = Math.max(this.#longestMs, nowMs - call.sinceMs)
    if (this.#waiting.size === 0) this.#waitedMs += nowMs - this.#someoneSinceMs
  }
}
