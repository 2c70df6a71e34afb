/**
 * When the lines of a file are due: a line at a recorded time t, (t − t₀) / speed after the first one, t₀, was sent. Lines
 * out of order come when it is their turn in the file. A replay that was held up (a broker away, a machine asleep, a speed
 * beyond what it can do) catches up on one second at most, and moves the rest.
 */
export class Pace {
  readonly #speed: number
  readonly #isShifted: boolean
  #startUs = Number.NaN
  #startMs = 0
  #latestUs = Number.NEGATIVE_INFINITY

  /** @param options.speed - Infinity: as fast as it goes. */
  constructor(options: { speed: number; isShifted: boolean }) {
    this.#speed = options.speed
    this.#isShifted = options.isShifted
  }

  /** Whether any line has to wait. */
  get isPaced(): boolean {
    return Number.isFinite(this.#speed)
  }

  /** How long the line of a recorded time has to wait. */
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

  /** The time to send in place of the recorded one, in microseconds: when it was due; NaN where that is kept. */
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
