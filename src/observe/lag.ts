import type { Thresholds } from '../config/thresholds.ts'
import { type PastObservation, readableLag } from './history.ts'
import {
  type DivergedPartition,
  type PartitionLog,
  type PipelineSnapshot,
  type PositionState,
  readableEnd,
} from './snapshot.ts'

/**
 * The state of one partition's consumption.
 *   OK        messages are consumed as they arrive
 *   WARN      the position moves, but the lag has not shrunk for a while
 *   STALL     a message waits, and the position has not moved for a while
 *   STOP      no member consumes it; or its position is outside the log; or the log was cut and written again
 *   REWIND    the position moved back, and has not reached its earlier value again
 *   BLOCKED   all readable messages are consumed; the rest wait for a transaction that has been open for too long
 *   UNKNOWN   the state is not known
 *
 * Based on Burrow's rules (linkedin/Burrow, core/internal/evaluator/caching.go), with changes against false alarms: the
 * group's members are requested from Kafka rather than derived from old commits, so an idle topic does not count as
 * stopped (Burrow#38, #303); a lag below the target never counts as growing (#223); if the position is before the start
 * of the log, the lag is counted from the start, so that retention does not cause lag (redpanda#30624); without a
 * position the lag is unknown, neither 0 nor years (#45).
 */
export type PartitionStatus = 'OK' | 'WARN' | 'STALL' | 'STOP' | 'REWIND' | 'BLOCKED' | 'UNKNOWN'

export interface PartitionLag {
  readonly partition: number
  readonly status: PartitionStatus
  /** Messages in the log that are not merged yet; null if it is not known. */
  readonly lagMessages: number | null
  /** How many of these are in or behind an open transaction and cannot be read yet; null if it is not known. */
  readonly blockedMessages: number | null
  /** How long that transaction has been open; null if there is none, or if it is not known. */
  readonly blockedSeconds: number | null
  /** How long the oldest unmerged message has been waiting; 0 without a lag, null if it is not known. */
  readonly waitingSeconds: number | null
  /** One line; empty for OK. */
  readonly why: string
}

interface Scene {
  readonly snapshot: PipelineSnapshot
  /** Oldest first; the last one is of this snapshot. */
  readonly observations: readonly PastObservation[]
  readonly thresholds: Thresholds
  readonly nowMs: number
}

/** Sorted by partition number; empty while the topic is unknown. */
export function partitionLags(scene: Scene): PartitionLag[] {
  const { topic, log } = scene.snapshot.kafka
  const { positions } = scene.snapshot.postgres
  if (topic.state === 'unknown') return []
  const logs = new Map(log.state === 'ok' ? log.partitions.map((p) => [p.partition, p]) : [])
  const held = new Map(positions.state === 'ok' ? positions.partitions.map((p) => [p.partition, p]) : [])
  const obstacle = positionsObstacle(scene.snapshot)
  return topic.partitions.map(({ partition, leaderId }) => {
    const found = logs.get(partition)
    if (!found) {
      const reason =
        log.state === 'unknown' ? log.reason : leaderId === null ? 'it has no leader' : 'it was not observed'
      return unknownLag(partition, reason)
    }
    if (obstacle !== undefined) return unknownLag(partition, obstacle)
    return lagOf(scene, found, held.get(partition))
  })
}

/** Why the positions cannot be compared with this log; undefined if they can. */
function positionsObstacle({ kafka, postgres }: PipelineSnapshot): string | undefined {
  const { positions, schema } = postgres
  if (positions.state === 'unknown') return positions.reason
  const held = schema.state === 'ok' ? schema.definition : null
  const isOther = held && kafka.topic.state === 'ok' && kafka.topic.isThere && held.topicId !== kafka.topic.topicId
  return isOther ? 'the positions are those of an earlier topic of this name' : undefined
}

function unknownLag(partition: number, why: string): PartitionLag {
  const unknown = { lagMessages: null, blockedMessages: null, blockedSeconds: null, waitingSeconds: null }
  return { partition, status: 'UNKNOWN', ...unknown, why }
}

function lagOf(scene: Scene, log: PartitionLog, position: PositionState | undefined): PartitionLag {
  const { partition, startOffset, endOffset } = log
  if (!position) {
    // An empty log has no lag, even before a worker has opened the partition.
    if (endOffset === startOffset) return judged(scene, log, { lagMessages: 0, blockedMessages: 0 })
    return unknownLag(partition, 'no worker has opened it yet')
  }
  const unread = Math.max(position.nextOffset, startOffset)
  const lagMessages = Math.max(0, endOffset - unread)
  const blockedMessages = Math.max(0, endOffset - Math.max(unread, readableEnd(log)))
  return judged(scene, log, { lagMessages, blockedMessages, position })
}

interface Unread {
  readonly lagMessages: number
  readonly blockedMessages: number
  readonly position?: PositionState
}

function judged(scene: Scene, log: PartitionLog, { lagMessages, blockedMessages, position }: Unread): PartitionLag {
  const waitingMs = log.nextRecordAtMs === null ? null : Math.max(0, scene.nowMs - log.nextRecordAtMs)
  const waitingSeconds = lagMessages === 0 ? 0 : waitingMs === null ? null : waitingMs / 1000
  const blockedSeconds = blockedMessages > 0 ? openSeconds(scene, log) : null
  const readable = lagMessages - blockedMessages
  const [status, why] =
    diverged(scene, position) ??
    outsideLog(log, position) ??
    unattended(scene, log.partition) ??
    (readable === 0 || !position ? blocked(scene, blockedSeconds) : behind(scene, log, position, readable))
  return { partition: log.partition, status, lagMessages, blockedMessages, blockedSeconds, waitingSeconds, why }
}

/**
 * How long the oldest open transaction of a partition has been open: by its start time, else as long as it was
 * observed.
 */
function openSeconds({ observations, nowMs }: Scene, { partition, openTransaction }: PartitionLog): number {
  const sinceMs = openTransaction?.sinceMs ?? null
  if (sinceMs !== null) return Math.max(0, nowMs - sinceMs) / 1000
  const startOffset = openTransaction?.startOffset
  const open = trailing(
    observationsAt(observations, partition),
    (at) => at.readableEnd === startOffset && at.endOffset > startOffset,
  )
  return spanOf(open) / 1000
}

function blocked({ thresholds }: Scene, blockedSeconds: number | null): Judgement {
  if (blockedSeconds === null || blockedSeconds <= thresholds.transaction.warningSeconds) return fine
  return ['BLOCKED', `messages wait for a transaction that has been open for ${Math.round(blockedSeconds)} s`]
}

type Judgement = readonly [PartitionStatus, string]
const fine: Judgement = ['OK', '']

const remedy = "see 'market-kpi offsets show'"

/** Only the worker that reads the partition detects this, since the offsets of the log alone do not show it. */
function diverged(scene: Scene, position?: PositionState): Judgement | undefined {
  const reported = position && reportedDivergence(scene.snapshot, position)
  if (!reported) return undefined
  const { offset, agreesTo } = reported
  const why = `the log was cut at ${agreesTo} and written again, and ${offset - agreesTo} messages before the position ${offset} are gone`
  return ['STOP', `${why}: ${remedy}`]
}

/** The divergence that a worker which has not stopped reports for this position. */
export function reportedDivergence(
  { postgres: { workers } }: PipelineSnapshot,
  { partition, nextOffset }: PositionState,
): DivergedPartition | undefined {
  if (workers.state === 'unknown') return undefined
  return workers.workers
    .filter(({ stoppedAtMs }) => stoppedAtMs === null)
    .flatMap(({ divergedPartitions }) => divergedPartitions)
    .find((reported) => reported.partition === partition && reported.offset === nextOffset)
}

function outsideLog({ startOffset, endOffset }: PartitionLog, position?: PositionState): Judgement | undefined {
  if (!position) return undefined
  const { nextOffset } = position
  if (nextOffset < startOffset) {
    const lost = startOffset - nextOffset
    return ['STOP', `${lost} messages were deleted before they were read: ${remedy}`]
  }
  if (nextOffset > endOffset) {
    return ['STOP', `the log ends at ${endOffset}, before the position ${nextOffset}: ${remedy}`]
  }
  return undefined
}

/** `STOP` if no member of the group owns the partition. Not judged while the group rebalances (kafkajs#452). */
function unattended({ snapshot }: Scene, partition: number): Judgement | undefined {
  const { group } = snapshot.kafka
  if (group.state === 'unknown' || group.isRebalancing) return undefined
  const isOwned = group.members.some(({ partitions }) => partitions.includes(partition))
  return isOwned ? undefined : ['STOP', 'no worker consumes it']
}

function behind(scene: Scene, log: PartitionLog, position: PositionState, lagMessages: number): Judgement {
  const { stalledSeconds, growingSeconds, targetMessages } = scene.thresholds.lag
  if (isStalled(scene, log, position)) return ['STALL', `its position has not moved for ${stalledSeconds} s`]
  if (lagMessages <= targetMessages) return fine
  const observations = observationsAt(scene.observations, log.partition)
  if (isRewound(observations)) return ['REWIND', 'its position moved back']
  if (isGrowing(observations, { spanMs: growingSeconds * 1000, floor: targetMessages })) {
    return ['WARN', `its lag has been growing for ${growingSeconds} s`]
  }
  return fine
}

/**
 * Decided from one observation, if the broker sets the timestamps: the position has not moved for long, and the next
 * message has been in the log for as long. Otherwise from several observations: in all of them the position was the
 * same and there were messages to read.
 */
function isStalled(scene: Scene, log: PartitionLog, position: PositionState): boolean {
  const { nowMs, observations, snapshot, thresholds } = scene
  const spanMs = thresholds.lag.stalledSeconds * 1000
  const { server } = snapshot.postgres
  const aheadMs = server.state === 'ok' ? server.clockAheadMs : 0
  const stoodMs = nowMs + aheadMs - position.movedAtMs
  const { log: logs } = snapshot.kafka
  if (logs.state === 'ok' && logs.isAppendTime && log.nextRecordAtMs !== null) {
    return Math.min(stoodMs, nowMs - log.nextRecordAtMs) > spanMs
  }
  const still = trailing(
    observationsAt(observations, log.partition),
    (at) => at.position === position.nextOffset && readableLag(at) > 0,
  )
  return spanOf(still) > spanMs
}

interface TimedObservation {
  readonly atMs: number
  readonly position: number
  readonly startOffset: number
  readonly endOffset: number
  readonly readableEnd: number
}

function observationsAt(observations: readonly PastObservation[], partition: number): TimedObservation[] {
  return observations.flatMap(({ atMs, partitions }) => {
    const at = partitions.get(partition)
    return at ? [{ atMs, ...at }] : []
  })
}

/** The longest run of observations, up to the last one, that all fit. */
function trailing<T>(observations: readonly T[], fits: (look: T) => boolean): T[] {
  const first = observations.findLastIndex((look) => !fits(look)) + 1
  return observations.slice(first)
}

function spanOf(observations: readonly { readonly atMs: number }[]): number {
  return (observations.at(-1)?.atMs ?? 0) - (observations[0]?.atMs ?? 0)
}

function isRewound(observations: readonly TimedObservation[]): boolean {
  const highest = Math.max(...observations.map(({ position }) => position))
  return (observations.at(-1)?.position ?? 0) < highest
}

/** Whether the lag was always above the floor, never shrank between two observations, and is larger at the end. */
function isGrowing(
  observations: readonly TimedObservation[],
  { spanMs, floor }: { spanMs: number; floor: number },
): boolean {
  const lags = observations.map((look) => ({ atMs: look.atMs, lag: readableLag(look) }))
  return isGrowingSeries(lags, { spanMs, floor })
}

/** @param lags - Oldest first. */
export function isGrowingSeries(
  lags: readonly { readonly atMs: number; readonly lag: number }[],
  { spanMs, floor }: { spanMs: number; floor: number },
): boolean {
  const lastShrink = lags.findLastIndex(({ lag }, index) => index > 0 && lag < (lags[index - 1]?.lag ?? 0))
  const grown = trailing(lags.slice(Math.max(0, lastShrink)), ({ lag }) => lag > floor)
  return spanOf(grown) >= spanMs && (grown.at(-1)?.lag ?? 0) > (grown[0]?.lag ?? 0)
}
