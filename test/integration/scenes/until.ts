import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits until a condition holds, looking again and again.
 *
 * @throws With `what` and the last answer, when it does not hold in time.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  holds: (found: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (holds(found)) return found
    if (performance.now() > end) throw new Error(`not ${what} within ${timeoutMs} ms: ${JSON.stringify(found)}`)
    await delay(30)
  }
}
