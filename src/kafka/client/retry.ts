import { KpiError } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'

const patienceMs = 30_000
const backoffLimits = { firstMs: 100, capMs: 2000 }

/**
 * Does what brokers may refuse for a moment after a start or a change of leaders; tries again for half a minute.
 *
 * @throws What the work threw last, at once when it is nothing that passes; or the signal's reason.
 */
export async function retry<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const until = performance.now() + patienceMs
  const backoff = new Backoff(backoffLimits)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const isPassing = error instanceof KpiError && error.retryable
      if (!isPassing || performance.now() > until) throw error
      await pause(backoff.nextMs(), signal)
      signal.throwIfAborted()
    }
  }
}
