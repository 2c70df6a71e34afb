import { KpiError } from '../../errors.ts'
import { pause } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'

const patienceMs = 30_000
const backoffLimits = { firstMs: 100, capMs: 2000 }

/**
 * Runs an operation that brokers may refuse briefly after a start or a change of leaders; retries it for 30 seconds.
 *
 * @throws The last error of the operation, immediately when it is not transient; or the signal's reason.
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
