/**
 * Capped exponential back-off with equal jitter: the n-th wait is uniform between half and the whole of
 * min(cap, first · 2ⁿ).
 *
 * Not full jitter (uniform from 0), though that needs the fewest calls where thousands of clients compete for one
 * resource (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): here a few processes wait for one
 * broker, database or receiver to come back. A wait of nearly zero would ask it again at once, and "refused three times"
 * is only worth a warning when three attempts take a known time at least.
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

  /** How many waits since the last success. */
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
