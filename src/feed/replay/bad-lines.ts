import type { Logger } from '../../log.ts'
import type { Clock } from '../source.ts'

/** So many are told at once, then one in each interval. */
const toldAtOnce = 10
const intervalMs = 10_000

/** Counts the lines that cannot be sent, and tells of them without flooding the log. */
export class BadLines {
  readonly #path: string
  readonly #log: Logger
  readonly #clock: Clock
  #count = 0
  #untold = 0
  #nextTellingMs = 0
  #first: string | undefined

  constructor(options: { path: string; log: Logger; clock: Clock }) {
    this.#path = options.path
    this.#log = options.log
    this.#clock = options.clock
  }

  get count(): number {
    return this.#count
  }

  /** The first of them, with what was wrong. */
  get first(): string | undefined {
    return this.#first
  }

  report(line: number, problem: string): void {
    this.#count += 1
    this.#first ??= `line ${line}: ${problem}`
    const nowMs = this.#clock.now()
    if (this.#count > toldAtOnce && nowMs < this.#nextTellingMs) {
      this.#untold += 1
      return
    }
    const others = this.#untold > 0 ? `; ${this.#untold} more bad lines before it` : ''
    this.#log.warn(`${this.#path} line ${line} is skipped: ${problem}${others}`)
    this.#untold = 0
    this.#nextTellingMs = nowMs + intervalMs
  }

  /** The last word. */
  sum(): void {
    if (this.#count > 0) this.#log.warn(`${this.#count} lines of ${this.#path} were skipped, the first, ${this.#first}`)
  }
}
