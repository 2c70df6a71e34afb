import type { Clock } from '../src/runtime/clock.ts'

interface Timer {
  readonly atMs: number
  /** Timers of one instant go off in the order they were set. */
  readonly order: number
  readonly callback: () => void
}

export interface SimulatedClockOptions {
  /** @defaultValue always 0.5 */
  readonly random?: () => number
  /** What the wall clock shows at first. @defaultValue 2026-02-16 15:00 UTC */
  readonly wallMs?: number
  /** Whoever waits is woken at once, that much later; otherwise time passes only by a method of the clock. */
  readonly isEager?: boolean
}

/** Time that passes only when the test says so: hours in milliseconds, and the same way each time. */
export class SimulatedClock implements Clock {
  readonly random: () => number
  /** How long each timer was set for, in order. */
  readonly waits: number[] = []
  readonly #isEager: boolean
  /** What the wall clock is ahead of the monotonic one. */
  readonly #wallAheadMs: number
  #nowMs = 1000
  #timers: Timer[] = []

  constructor(options: SimulatedClockOptions = {}) {
    const { random = () => 0.5, wallMs = Date.UTC(2026, 1, 16, 15, 0), isEager = false } = options
    this.random = random
    this.#wallAheadMs = wallMs - this.#nowMs
    this.#isEager = isEager
  }

  now(): number {
    return this.#nowMs
  }

  // Passed on without its object, as Date.now is.
  readonly wallMs = (): number => this.#wallAheadMs + this.#nowMs

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.waits.length, callback }
    this.waits.push(ms)
    if (this.#isEager) {
      this.#nowMs = timer.atMs
      queueMicrotask(callback)
      return () => undefined
    }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Sets the time forward; no timer goes off. */
  skip(ms: number): void {
    this.#nowMs += ms
  }

  /** Lets so much time pass, with all that is due meanwhile at its time, and all that follows from it. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    while (this.#fireNext(endMs)) await nextTurn()
    this.#nowMs = endMs
    await nextTurn()
  }

  /** Lets time pass until the condition holds. @returns Whether it did within so much simulated time. */
  async runUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs
    do {
      // All that can happen without time passing happens first.
      await nextTurn()
      if (holds()) return true
    } while (this.#fireNext(endMs))
    return false
  }

  /** @returns false when no timer is due until then. */
  #fireNext(endMs: number): boolean {
    const next = this.#timers.reduce<Timer | undefined>(
      (first, timer) => (isBefore(timer, first) ? timer : first),
      undefined,
    )
    if (next === undefined || next.atMs > endMs) return false
    this.#timers = this.#timers.filter((timer) => timer !== next)
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.callback()
    return true
  }
}

function isBefore(timer: Timer, other: Timer | undefined): boolean {
  if (other === undefined) return true
  return timer.atMs === other.atMs ? timer.order < other.order : timer.atMs < other.atMs
}

function nextTurn(): Promise<void> {
  return new Promise(setImmediate)
}
