import type { Clock } from '../../../src/runtime/clock.ts'

interface Timer {
  readonly atMs: number
  /** Timers of one instant go off in the order they were set. */
  readonly order: number
  readonly callback: () => void
}

/** Time that passes only when everybody waits: hours in milliseconds, and the same way each time. */
export class SimulatedClock implements Clock {
  readonly random: () => number
  #nowMs = 1000
  #count = 0
  #timers: Timer[] = []

  constructor(random: () => number) {
    this.random = random
  }

  now(): number {
    return this.#nowMs
  }

  // Passed on without its object, as Date.now is.
  readonly wallMs = (): number => 1_771_079_400_000 + this.#nowMs

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#count++, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Lets time pass until the condition holds. @returns Whether it did within so much simulated time. */
  async runUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs
    for (;;) {
      // All that can happen without time passing happens first.
      await new Promise(setImmediate)
      if (holds()) return true
      const next = this.#timers.reduce<Timer | undefined>(
        (first, timer) => (isBefore(timer, first) ? timer : first),
        undefined,
      )
      if (next === undefined || next.atMs > endMs) return false
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
    }
  }
}

function isBefore(timer: Timer, other: Timer | undefined): boolean {
  if (other === undefined) return true
  return timer.atMs === other.atMs ? timer.order < other.order : timer.atMs < other.atMs
}
