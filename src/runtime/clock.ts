/**
 * Time and chance as the program sees them, passed in: a test decides how much time passes. There is no other clock.
 */
export interface Clock {
  /** Milliseconds, monotonic: for durations and deadlines. */
  now(): number
  /** Milliseconds since the Unix epoch, which somebody may set forward or back: for what is stored, sent and shown. */
  wallMs(): number
  /** Calls back once after a while, at the latest after 24.8 days. @returns What cancels it. */
  after(ms: number, callback: () => void): () => void
  /** A uniform number in [0, 1), for jitter. */
  random(): number
}

/** 24.8 days: a timer of Node that is set for longer fires at once. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, longestTimerMs))
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

/** Calls back again and again. @returns What ends it. */
export function every(clock: Clock, ms: number, callback: () => void): () => void {
  let cancel = clock.after(ms, again)
  function again(): void {
    cancel = clock.after(ms, again)
    callback()
  }
  return () => cancel()
}
