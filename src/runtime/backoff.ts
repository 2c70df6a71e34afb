/**
 * Capped exponential back-off with equal jitter: the n-th wait is uniform between half and the whole of min(cap, first
 * · 2ⁿ).
 *
 * Full jitter (uniform from 0) needs the fewest calls when thousands of clients compete for one resource
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). It is not used here, because only a few
 * processes wait for a broker, database or receiver to recover. With a wait of nearly zero the next attempt would
 * follow at once, and a warning after "refused three times" is only useful when three attempts take a known minimum
 * time.
 */
export class Backoff {
  readonly #firstMs: number
  readonly #capMs: number
  readonly #random: () => number
  #attempt = 0

  constructor(options: { firstMs: number; capMs: number; random?: () => number }) {
    this.#firstMs = options.firstMs
    this.#capMs = options.capMs
    this.#random = options.random ?? Math.random
  }

  /** The number of waits since the last success. */
  get attempt(): number {
    return this.#attempt
  }

  nextMs(): number {
    const wholeMs = Math.min(this.#capMs, this.#firstMs * 2 ** Math.min(this.#attempt, 30))
    this.#attempt += 1
    return wholeMs * (0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#attempt = 0
  }
}
