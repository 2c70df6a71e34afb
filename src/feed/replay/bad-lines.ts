import type { Logger } from '../../log.ts'
import type { Clock } from '../../runtime/clock.ts'

/** This many warnings are logged immediately, then one per interval. */
const toldAtOnce = 10
const intervalMs = 10_000

/**
 * Logs warnings about one kind of line without flooding the log: the first ten immediately, then one every ten
 * seconds.
 */
export class LineWarnings {
  readonly #options: { readonly log: Logger; readonly clock: Clock; readonly what: string }
  #count = 0
  #untold = 0
  #nextTellingMs = 0

  /** @param options.what - What the lines are called in the log: `bad lines`. */
  constructor(options: { log: Logger; clock: Clock; what: string }) {
    this.#options = options
  }

  get count(): number {
    return this.#count
  }

  warn(text: string): void {
    const { log, clock, what } = this.#options
    this.#count += 1
    const nowMs = clock.now()
    if (this.#count > toldAtOnce && nowMs < this.#nextTellingMs) {
      this.#untold += 1
      return
    }
    const others = this.#untold > 0 ? `; ${this.#untold} more ${what} before it` : ''
    log.warn(`${text}${others}`)
    this.#untold = 0
    this.#nextTellingMs = nowMs + intervalMs
  }
}

/** Counts the lines that cannot be sent, and logs warnings about them. */
export class BadLines {
  readonly #path: string
  readonly #log: Logger
  readonly #warnings: LineWarnings
  #first: string | undefined

  constructor(options: { path: string; log: Logger; clock: Clock }) {
    this.#path = options.path
    this.#log = options.log
    this.#warnings = new LineWarnings({ ...options, what: 'bad lines' })
  }

  get count(): number {
    return this.#warnings.count
  }

  /** The first bad line and what was wrong with it. */
  get first(): string | undefined {
    return this.#first
  }

  /** @param place - Which line it is: `line 7`. */
  report(place: string, problem: string): void {
    this.#first ??= `${place}: ${problem}`
    this.#warnings.warn(`${this.#path} ${place} is skipped: ${problem}`)
  }

  /** Logs the total at the end. */
  sum(): void {
    if (this.count > 0) this.#log.warn(`${this.count} lines of ${this.#path} were skipped, the first, ${this.#first}`)
  }
}
