import { pause } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'

/** Runs a check repeatedly until the signal is aborted, at random intervals of 0.5 to 1.5 times `intervalMs`. */
export async function lookAgain(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  look: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await look()
    // The jitter keeps workers that started together from checking at the same time.
    await pause(intervalMs * (0.5 + clock.random()), signal, clock)
  }
}
