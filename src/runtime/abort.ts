// Waits that end early at an abort or a deadline. These functions do not stop the work that is waited for: it
// continues, and later errors of it are ignored.
import { type Clock, systemClock } from './clock.ts'

/** Waits, or returns early when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal, clock: Clock = systemClock): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** The result of the work, or undefined as soon as the signal is aborted. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) {
    work.catch(() => undefined)
    return Promise.resolve(undefined)
  }
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined)
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** The result of the work, or undefined when it takes longer. */
export async function within<T>(ms: number, work: Promise<T>, clock: Clock = systemClock): Promise<T | undefined> {
  const late = new AbortController()
  const cancel = clock.after(Math.max(0, ms), () => late.abort())
  try {
    return await unlessAborted(work, late.signal)
  } finally {
    cancel()
  }
}

/** Runs work with a signal that is aborted with the given error when the work takes longer. */
export async function withDeadline<T>(
  { ms, error }: { readonly ms: number; readonly error: Error },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(error), ms)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
