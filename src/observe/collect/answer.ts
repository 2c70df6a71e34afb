import { isOwnMistake, type KpiError, messageOf } from '../../errors.ts'
import { type Source, type Unknown, unknown } from '../snapshot.ts'

/** What a source says, or why it says nothing; only our own mistakes are thrown on. */
export async function sourceOf<T extends object>(work: () => Promise<T>): Promise<Source<T>> {
  try {
    return { state: 'ok', ...(await work()) }
  } catch (error) {
    return unknownFrom(error)
  }
}

export function unknownFrom(error: unknown): Unknown {
  if (isOwnMistake(error)) throw error
  return unknown(messageOf(error))
}

/** Gives work so long; it is told by the signal, whose reason is the error given. */
export async function withDeadline<T>(
  { ms, error }: { readonly ms: number; readonly error: KpiError },
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

/** The work's answer, or the signal's reason when that comes first; the work then goes on unheard. */
export async function unlessAborted<T extends object>(
  signal: AbortSignal,
  work: () => Promise<Source<T>>,
): Promise<Source<T>> {
  const { promise: aborted, resolve } = Promise.withResolvers<Unknown>()
  const onAbort = () => resolve(unknownFrom(signal.reason))
  if (signal.aborted) return unknownFrom(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
