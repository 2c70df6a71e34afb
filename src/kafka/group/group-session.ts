/**
 * Knows when the broker must have given us up: a session timeout after it last had a word from us. Counted from when
 * we sent what it answered, which is never later than when it received that, so we never believe longer than it does.
 */
export class GroupSession {
  readonly #onExpired: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired
  }

  /** @param sentAtMs By `performance.now()`, which goes on while the process is stopped. */
  renew(sentAtMs: number, timeoutMs: number): void {
    this.end()
    this.#timer = setTimeout(this.#onExpired, Math.max(0, sentAtMs + timeoutMs - performance.now()))
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
