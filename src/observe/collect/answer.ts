import { isOwnMistake, messageOf } from '../../errors.ts'
import { unlessAborted } from '../../runtime/abort.ts'
import { type Source, type Unknown, unknown } from '../snapshot.ts'

/** The values of a source, or why they are unknown. Rethrows only our own mistakes. */
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

/** The result of the work, or the signal's abort reason if that comes first. */
export async function answerUnlessAborted<T extends object>(
  signal: AbortSignal,
  work: () => Promise<Source<T>>,
): Promise<Source<T>> {
  if (signal.aborted) return unknownFrom(signal.reason)
  return (await unlessAborted(work(), signal)) ?? unknownFrom(signal.reason)
}
