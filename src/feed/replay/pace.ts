/**
 * Decides when the lines of a file are due: a line at recorded time t is due (t − t₀) / speed after the first line,
 * at t₀, was sent. Lines out of order are sent in the order of the file. If a replay was delayed (broker unavailable,
 * machine asleep, or a speed that cannot be reached), it catches up on one second at most, and the rest of the
 * schedule moves.
 */
export class Pace {
  readonly #speed: number
  readonly #isShifted: boolean
  #startUs = Number.NaN
  #startMs = 0
  #latestUs = Number.NEGATIVE_INFINITY

  /** @param options.speed - Infinity means as fast as possible. */
  constructor(options: { speed: number; isShifted: boolean }) {
    this.#speed = options.speed
    this.#isShifted = options.isShifted
  }

  /** Whether any line has to wait. */
  get isPaced(): boolean {
    return Number.isFinite(this.#speed)
  }

  /** How long a line with this recorded time has to wait. */
  waitMs(us: number, nowMs: number): number {
    if (!this.isPaced) return 0
    if (Number.isNaN(this.#startUs)) {
      this.#startUs = us
      this.#startMs = nowMs
    }
    if (us > this.#latestUs) {
      this.#latestUs = us
      this.#startMs += Math.max(0, nowMs - this.#dueMs(us) - maxCatchUpMs)
    }
    return Math.max(0, this.#dueMs(us) - nowMs)
  }

  /**
   * The time to send instead of the recorded one, in microseconds: when the line was due. NaN to keep the recorded
   * time.
   */
  shiftedUs(us: number, nowMs: number): number {
    if (!this.#isShifted) return Number.NaN
    if (!this.isPaced) return nowMs * 1000
    return Math.max(0, Math.round(this.#startMs * 1000 + (us - this.#startUs) / this.#speed))
  }

  #dueMs(us: number): number {
    return this.#startMs + (us - this.#startUs) / 1000 / this.#speed
  }
}

const maxCatchUpMs = 1000
