import { forMsOf, rulePatience } from '../../src/alerts/alert-rules.ts'
import type { RuleName } from '../../src/observe/finding.ts'

/** Every duration of a drill: those of the settings, shortened together, and what follows from them. */
export interface Pace {
  /** What the programs are started with. */
  readonly env: Readonly<Record<string, string>>
  readonly intervalSeconds: number
  readonly workerDownSeconds: number
  readonly errorRateSeconds: number
}

/**
 * The defaults of src/config/threshold-settings.ts in seconds. The second number is the least that makes sense: rows of
 * `worker_status` come every five seconds, whatever the scale, and a laden machine is not always on time.
 */
const durations = {
  LAG_GROWING_SECONDS: [300, 20],
  STALLED_SECONDS: [60, 30],
  BACKLOG_SECONDS: [30, 3],
  THROUGHPUT_CRITICAL_SECONDS: [60, 15],
  FRESHNESS_TARGET_SECONDS: [300, 20],
  FRESHNESS_WARNING_SECONDS: [600, 40],
  FRESHNESS_CRITICAL_SECONDS: [900, 60],
  FEED_SILENCE_WARNING_SECONDS: [300, 20],
  FEED_SILENCE_CRITICAL_SECONDS: [900, 60],
  ERROR_RATE_SECONDS: [300, 20],
  POOL_CRITICAL_SECONDS: [60, 30],
  WORKER_DOWN_SECONDS: [30, 15],
} as const satisfies Record<string, readonly [usual: number, least: number]>

const usualIntervalSeconds = 15
/**
 * A look at servers that do not answer takes up to 3.7 s, and the next one waits for it; see observe/collect.ts. The
 * shortest drills are of other faults.
 */
const leastIntervalSeconds = (scale: number) => (scale < 0.1 ? 2 : 4)

/** How full the machine's disk is has nothing to do with it. */
const anyDisk = { DISK_WARNING_PERCENT: '99.8', DISK_CRITICAL_PERCENT: '99.9' }

/** @param scale - 1 for the defaults, less for shorter ones. */
export function paceAt(scale: number): Pace {
  const scaled = (name: keyof typeof durations) => {
    const [usual, least] = durations[name]
    return Math.max(Math.min(usual, least), Math.round(usual * scale))
  }
  const names = Object.keys(durations) as (keyof typeof durations)[]
  return {
    env: { ...Object.fromEntries(names.map((name) => [name, String(scaled(name))])), ...anyDisk },
    intervalSeconds: Math.max(leastIntervalSeconds(scale), Math.round(usualIntervalSeconds * scale)),
    workerDownSeconds: scaled('WORKER_DOWN_SECONDS'),
    errorRateSeconds: scaled('ERROR_RATE_SECONDS'),
  }
}

const allowanceSeconds = 5

/**
 * How soon a fault must be told: one interval, the rule's `for`, and five seconds; after what the rule itself waits for,
 * such as a worker that is not heard of for half a minute.
 */
export function wantedSeconds(pace: Pace, rule: RuleName, ruleWaitSeconds: number): number {
  const forSeconds = forMsOf(rulePatience[rule], pace.intervalSeconds * 1000) / 1000
  return ruleWaitSeconds + pace.intervalSeconds + forSeconds + allowanceSeconds
}
