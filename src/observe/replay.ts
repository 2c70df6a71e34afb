import type { Thresholds } from '../config/thresholds.ts'
import type { PipelineSnapshot, WorkerState } from './snapshot.ts'
import { liveWorkers } from './workers.ts'

/**
 * A replay that is the only source of prices. They have timestamps of another day, so the replay's clock applies to
 * them.
 */
export interface ReplayClock {
  /** Event time of the latest price that it sent; null before the first one. */
  readonly eventAtMs: number | null
  readonly isPaced: boolean
  /** `stopped` if it ended before the end of its file. */
  readonly state: 'running' | 'finished' | 'stopped'
}

/** How far the clocks of a feed and of the brokers may differ. */
const clockSlackMs = 60_000

/**
 * The replay that all prices come from: every running feed keeps the recorded timestamps, or no feed runs and the last
 * one kept them. Undefined once another producer has sent messages after the replay ended.
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

/** The feed that reported last. */
export function lastFeed(workers: readonly WorkerState[]): WorkerState | undefined {
  return workers.filter(({ kind }) => kind === 'feed').toSorted((a, b) => a.seenAgoSeconds - b.seenAgoSeconds)[0]
}

function hasNewerMessages({ kafka: { log } }: PipelineSnapshot, endedAtMs: number): boolean {
  if (log.state === 'unknown') return false
  return log.partitions.some(({ newestRecordAtMs }) => (newestRecordAtMs ?? 0) > endedAtMs + clockSlackMs)
}
