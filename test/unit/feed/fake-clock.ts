import type { Clock } from '../../../src/feed/source.ts'

/** A clock whose hands the sleepers turn: who sleeps is woken at once, that much later. */
export class FakeClock implements Clock {
  nowMs: number
  readonly sleeps: number[] = []

  constructor(nowMs = Date.UTC(2026, 1, 16, 15, 0)) {
    this.nowMs = nowMs
  }

  now(): number {
    return this.nowMs
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.sleeps.push(ms)
    this.nowMs += ms
  }
}
