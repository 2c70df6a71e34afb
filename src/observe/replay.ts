import type { Thresholds } from '../config/thresholds.ts'
import type { PipelineSnapshot, WorkerState } from './snapshot.ts'
import { liveWorkers } from './workers.ts'

/** A replay that is all that feeds the pipeline: its prices have times of another day, and are judged by its own clock. */
export interface ReplayClock {
  /** The latest time of a price that it sent; null before the first. */
  readonly eventAtMs: number | null
  readonly isPaced: boolean
  /** `stopped` where it ended before its file did. */
  readonly state: 'running' | 'finished' | 'stopped'
}

/** Clocks of a feed and of the brokers may differ by so much. */
const clockSlackMs = 60_000

/**
 * The replay that the rows are of: every live feed replays recorded times, or none lives and the last one did. Not any more once
 * somebody else sends messages after it had ended.
 */
export function replayOf(snapshot: PipelineSnapshot, thresholds: Thresholds): ReplayClock | undefined {
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return undefined
  const live = liveWorkers(workers.workers, 'feed', thresholds)
  const last = lastFeed(workers.workers)
  const feeds = live.length > 0 ? live : last ? [last] : []
  const replays = feeds.flatMap((feed) => (feed.replay ? [{ ...feed, ...feed.replay }] : []))
  if (replays.length === 0 || replays.length < feeds.length) return undefined
  const isFinished = replays.every(({ endedAtMs }) => endedAtMs !== null)
  const state = isFinished ? 'finished' : live.length > 0 ? 'running' : 'stopped'
  const endedAtMs = Math.max(
    ...replays.map((feed) => feed.endedAtMs ?? snapshot.takenAtMs - feed.seenAgoSeconds * 1000),
  )
  if (state !== 'running' && hasNewerMessages(snapshot, endedAtMs)) return undefined
  const times = replays.flatMap(({ eventAtMs }) => (eventAtMs === null ? [] : [eventAtMs]))
  return {
    eventAtMs: times.length > 0 ? Math.max(...times) : null,
    isPaced: replays.every(({ isPaced }) => isPaced),
    state,
  }
}

/** The feed that was heard of last. */
export function lastFeed(workers: readonly WorkerState[]): WorkerState | undefined {
  return workers.filter(({ kind }) => kind === 'feed').toSorted((a, b) => a.seenAgoSeconds - b.seenAgoSeconds)[0]
}

function hasNewerMessages({ kafka: { log } }: PipelineSnapshot, endedAtMs: number): boolean {
  if (log.state === 'unknown') return false
  return log.partitions.some(({ newestRecordAtMs }) => (newestRecordAtMs ?? 0) > endedAtMs + clockSlackMs)
}
