import type { Thresholds } from '../config/thresholds.ts'
import type { PipelineSnapshot, WorkerState } from './snapshot.ts'
import { liveWorkers } from './workers.ts'

/** A replay that is all that feeds the pipeline: its prices have times of another day, and are judged by its own clock. */
export interface ReplayClock {
  /** The latest time of a price that it sent; null before the first. */
  readonly eventAtMs: number | null
  readonly isPaced: boolean
  readonly isFinished: boolean
}

/** Clocks of a feed and of the brokers may differ by so much. */
const clockSlackMs = 60_000

/**
 * The replay that the pipeline lives on: every live feed replays recorded times, or none lives and the last one had sent all
 * of its file. Not any more once somebody else sends messages after it had finished.
 */
export function replayOf(snapshot: PipelineSnapshot, thresholds: Thresholds): ReplayClock | undefined {
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return undefined
  const feeds = currentFeeds(workers.workers, thresholds)
  const replays = feeds.flatMap(({ replay, endedAtMs }) => (replay ? [{ ...replay, endedAtMs }] : []))
  if (replays.length === 0 || replays.length < feeds.length) return undefined
  const isFinished = replays.every(({ endedAtMs }) => endedAtMs !== null)
  if (isFinished && hasNewerMessages(snapshot, Math.max(...replays.map(({ endedAtMs }) => endedAtMs ?? 0))))
    return undefined
  const times = replays.flatMap(({ eventAtMs }) => (eventAtMs === null ? [] : [eventAtMs]))
  return {
    eventAtMs: times.length > 0 ? Math.max(...times) : null,
    isPaced: replays.every(({ isPaced }) => isPaced),
    isFinished,
  }
}

/** The live ones; where there is none, the one that was heard of last, if it had sent all there is. */
function currentFeeds(workers: readonly WorkerState[], thresholds: Thresholds): WorkerState[] {
  const live = liveWorkers(workers, 'feed', thresholds)
  if (live.length > 0) return live
  const last = lastFeed(workers)
  return last && last.endedAtMs !== null ? [last] : []
}

/** The feed that was heard of last. */
export function lastFeed(workers: readonly WorkerState[]): WorkerState | undefined {
  return workers.filter(({ kind }) => kind === 'feed').toSorted((a, b) => a.seenAgoSeconds - b.seenAgoSeconds)[0]
}

function hasNewerMessages({ kafka: { log } }: PipelineSnapshot, endedAtMs: number): boolean {
  if (log.state === 'unknown') return false
  return log.partitions.some(({ newestRecordAtMs }) => (newestRecordAtMs ?? 0) > endedAtMs + clockSlackMs)
}
