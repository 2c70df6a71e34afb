import { pause } from '../runtime/abort.ts'
import type { Clock } from './source.ts'

/** A timer cannot be set for longer. */
const longestSleepMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => pause(Math.min(ms, longestSleepMs), signal),
}
