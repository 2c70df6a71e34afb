/**
 * The order in which the parts are stopped, both on Ctrl-C and as orphans: the feed, then the consumers (drained), then
 * the database, then the broker. Parts of one stage stop together. The waits add up to less than the 20 s allowed for a
 * stop.
 */
export interface StopPlan {
  readonly stage: number
  /** The time limit of the graceful stop. */
  readonly deadlineMs: number
  /** The signal that requests a graceful stop. */
  readonly signal: NodeJS.Signals
}

const feed: StopPlan = { stage: 0, deadlineMs: 4000, signal: 'SIGTERM' }
const command: StopPlan = { stage: 1, deadlineMs: 6000, signal: 'SIGTERM' }
/** SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for all clients to disconnect. */
const postgres: StopPlan = { stage: 2, deadlineMs: 5000, signal: 'SIGINT' }
const kafka: StopPlan = { stage: 3, deadlineMs: 4000, signal: 'SIGTERM' }

export const wholeStopDeadlineMs = 19_000

export function stopPlanOf(partName: string): StopPlan {
  if (partName === 'feed') return feed
  if (partName.startsWith('postgres')) return postgres
  if (partName.startsWith('kafka')) return kafka
  return command
}
