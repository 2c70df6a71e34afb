/**
 * Time and randomness, passed in as a dependency so that a test controls how much time passes. There is no other clock.
 */
export interface Clock {
  /** Milliseconds by the monotonic clock: for durations and deadlines. */
  now(): number
  /** Milliseconds since the Unix epoch: for values that are stored, sent or shown. The system clock may be changed. */
  wallMs(): number
  /** Calls back once after a delay of at most 24.8 days. @returns A function that cancels the call. */
  after(ms: number, callback: () => void): () => void
  /** A uniform number in [0, 1), for jitter. */
  random(): number
}

/** 24.8 days: Node fires a timer with a longer delay immediately. */
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

/** Calls back repeatedly. @returns A function that ends it. */
export function every(clock: Clock, ms: number, callback: () => void): () => void {
  let cancel = clock.after(ms, again)
  function again(): void {
    cancel = clock.after(ms, again)
    callback()
  }
  return () => cancel()
}
