import { pause } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'

/** Looks again and again, at intervals of about so long, until the signal is aborted. */
export async function lookAgain(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  look: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await look()
    // Workers that started together do not look together.
    await pause(intervalMs * (0.5 + clock.random()), signal, clock)
  }
}
