import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../src/process/supervisor.ts'

interface Waiting {
  readonly dueAt: number
  readonly wake: () => void
}

/** Time that passes only when it is told to. */
export class ManualClock implements Clock {
  /** Every pause that was asked for, in milliseconds. */
  readonly pauses: number[] = []
  #now = 0
  #waiting: Waiting[] = []

  now(): number {
    return this.#now
  }

  pause(ms: number, signal: AbortSignal): Promise<void> {
    this.pauses.push(ms)
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.push({ dueAt: this.#now + ms, wake })
      if (signal.aborted) wake()
      else signal.addEventListener('abort', wake)
    })
  }

  /** Lets time pass, and whatever follows from it happen. */
  async advance(ms: number): Promise<void> {
    this.#now += ms
    const due = this.#waiting.filter(({ dueAt }) => dueAt <= this.#now)
    this.#waiting = this.#waiting.filter(({ dueAt }) => dueAt > this.#now)
    for (const { wake } of due) wake()
    await nextTurn()
  }
}
