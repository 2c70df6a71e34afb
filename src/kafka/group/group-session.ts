/**
 * Knows when the broker must have removed this member: one session timeout after the last answered request. The time
 * counts from when the request was sent, which is never later than when the broker received it, so this session never
 * ends later than the broker's.
 */
export class GroupSession {
  readonly #onExpired: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired
  }

  /** @param sentAtMs By `performance.now()`, which continues while the process is suspended. */
  renew(sentAtMs: number, timeoutMs: number): void {
    this.end()
    this.#timer = setTimeout(this.#onExpired, Math.max(0, sentAtMs + timeoutMs - performance.now()))
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
