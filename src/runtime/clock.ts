/** The time as the consumer sees it; tests turn the hands. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number
  /** Wall clock, milliseconds since the Unix epoch. */
  wallMs(): number
  /** Calls back once after a while. @returns What cancels it. */
  after(ms: number, callback: () => void): () => void
  /** A uniform number in [0, 1), for jitter. */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

/** Waits, or returns early when the signal is aborted. */
export function pauseOn(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
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
