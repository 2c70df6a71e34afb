/**
 * In which order the parts end, whether by Ctrl-C or as orphans: the feed, then what consumes (drained), then the
 * database, then the broker. Parts of one stage end together. The waits add up to less than the 20 s a stop may take.
 */
export interface StopPlan {
  readonly stage: number
  /** How long its graceful end may take. */
  readonly deadlineMs: number
  /** What asks it to end gracefully. */
  readonly signal: NodeJS.Signals
}

const feed: StopPlan = { stage: 0, deadlineMs: 4000, signal: 'SIGTERM' }
const command: StopPlan = { stage: 1, deadlineMs: 6000, signal: 'SIGTERM' }
/** SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave. */
const postgres: StopPlan = { stage: 2, deadlineMs: 5000, signal: 'SIGINT' }
const kafka: StopPlan = { stage: 3, deadlineMs: 4000, signal: 'SIGTERM' }

export const wholeStopDeadlineMs = 19_000

export function stopPlanOf(partName: string): StopPlan {
  if (partName === 'feed') return feed
  if (partName.startsWith('postgres')) return postgres
  if (partName.startsWith('kafka')) return kafka
  return command
}
