import type { Thresholds } from '../../config/thresholds.ts'
import { grouped } from '../../runtime/number-text.ts'
import { type PastObservation, readableLag } from '../history.ts'
import { isGrowingSeries, type PartitionLag, reportedDivergence } from '../lag.ts'
import { countedOver } from '../measures.ts'
import type { WorkerState } from '../snapshot.ts'
import { liveWorkers, lostWorkers, missingWorkers } from '../workers.ts'
import {
  cannotJudge,
  type Found,
  found,
  partitionList,
  type Rule,
  type RuleScene,
  span,
  trailingObservations,
} from './rule.ts'

/** R9: a worker or a feed ended without a clean shutdown, and no other process replaced it. */
export const workerDown: Rule = (scene) => {
  const { snapshot, thresholds } = scene
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return [cannotJudge('WorkerDown', workers.reason)]
  const down = downWorkers(workers.workers, thresholds)
  if (down.length === 0 || !wasDatabaseAway(scene)) return down
  return [cannotJudge('WorkerDown', 'the database was unavailable, and workers have not had time to report since')]
}

function downWorkers(workers: readonly WorkerState[], thresholds: Thresholds): Found[] {
  return (['consumer', 'feed'] as const).flatMap((kind) => {
    const isLast = liveWorkers(workers, kind, thresholds).length === 0
    const severity = isLast && kind === 'consumer' ? 'critical' : 'warning'
    return missingWorkers(workers, kind, thresholds).map((worker) =>
      found('WorkerDown', severity, `the ${kind} ${worker.workerId} last reported ${span(worker.seenAgoSeconds)} ago`, {
        labels: { kind, worker: worker.workerId },
        stage: kind,
        value: worker.seenAgoSeconds,
        unit: 's',
      }),
    )
  })
}

/**
 * Whether the database was unavailable within WORKER_DOWN_SECONDS: workers could not report then, and may be running.
 */
function wasDatabaseAway({ observations, nowMs, thresholds }: RuleScene): boolean {
  const last = observations.findLast(({ counts }) => counts === null)
  return last !== undefined && nowMs - last.atMs <= thresholds.workerDownSeconds * 1000
}

/** R10: no member of the group consumes the topic, or some of its partitions. */
export const noConsumer: Rule = (scene) => {
  const { group, topic } = scene.snapshot.kafka
  if (topic.state === 'unknown' || !topic.isThere) return []
  const name = scene.snapshot.asked.group
  if (group.state === 'unknown') return noWorkerTold(scene, group.reason)
  if (group.isRebalancing) return []
  if (group.members.length === 0) return [found('NoConsumer', 'critical', `the group '${name}' has no members`)]
  if (areMembersGone(scene, group.members.length)) {
    return [found('NoConsumer', 'critical', `no worker of the group '${name}' has reported for a while`)]
  }
  const owned = new Set(group.members.flatMap(({ partitions }) => partitions))
  const left = topic.partitions.map(({ partition }) => partition).filter((partition) => !owned.has(partition))
  if (left.length === 0) return []
  const summary = `no member of the group '${name}' consumes ${partitionList(left)}`
  return [found('NoConsumer', 'critical', summary, { value: left.length, unit: 'partitions' })]
}

/** Brokers keep a dead member until its session times out; its row in the database shows earlier that it is dead. */
function areMembersGone(scene: RuleScene, members: number): boolean {
  const { snapshot, thresholds } = scene
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown' || wasDatabaseAway(scene)) return false
  const live = liveWorkers(workers.workers, 'consumer', thresholds)
  const lost = lostWorkers(workers.workers, 'consumer', thresholds)
  // If there are more members than lost workers, the others may be consumers that have no row.
  return live.length === 0 && lost.length >= members
}

function noWorkerTold(scene: RuleScene, reason: string): Found[] {
  const { snapshot, thresholds } = scene
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown' || wasDatabaseAway(scene)) return [cannotJudge('NoConsumer', reason)]
  const rows = workers.workers.filter(({ kind }) => kind === 'consumer')
  if (rows.length === 0) return [cannotJudge('NoConsumer', reason)]
  if (liveWorkers(rows, 'consumer', thresholds).length > 0) return []
  return [found('NoConsumer', 'critical', 'no worker has reported for a while')]
}

/** R11: messages wait in a partition, and its position does not move. */
export const consumerStalled: Rule = ({ snapshot, lags, thresholds }) => {
  const { group, log } = snapshot.kafka
  const { workers } = snapshot.postgres
  const live = workers.state === 'ok' ? liveWorkers(workers.workers, 'consumer', thresholds) : []
  const stranded = live.flatMap(({ strandedPartitions }) => strandedPartitions)
  const isStuck = ({ status, partition, lagMessages }: PartitionLag) =>
    status === 'STALL' ||
    (status === 'STOP' && (isOutside(partition) || (stranded.includes(partition) && lagMessages !== 0)))
  const isOutside = (partition: number) => {
    const { positions } = snapshot.postgres
    const position = positions.state === 'ok' ? positions.partitions.find((p) => p.partition === partition) : undefined
    if (!position) return false
    if (reportedDivergence(snapshot, position)) return true
    const end = log.state === 'ok' ? log.partitions.find((p) => p.partition === partition) : undefined
    return Boolean(end && (position.nextOffset < end.startOffset || position.nextOffset > end.endOffset))
  }
  const stuck = lags.filter(isStuck)
  if (stuck.length > 0) {
    const whys = [...new Set(stuck.map(({ why }) => why))].join('; ')
    const summary = `${partitionList(stuck.map(({ partition }) => partition))}: ${whys}`
    return [found('ConsumerStalled', 'critical', summary, { value: stuck.length, unit: 'partitions' })]
  }
  const isAttended = group.state === 'ok' && group.members.length > 0 && !group.isRebalancing
  return unknownLags(lags).map((why) => cannotJudge('ConsumerStalled', why, isAttended ? 'warning' : 'info'))
}

/** One text with all unknown partitions and their reasons. */
function unknownLags(lags: readonly PartitionLag[]): string[] {
  const left = lags.filter(({ status }) => status === 'UNKNOWN')
  if (left.length === 0) return []
  const whys = [...new Set(left.map(({ why }) => why))].join('; ')
  return [`${partitionList(left.map(({ partition }) => partition))}: ${whys}`]
}

/**
 * Messages in or behind a transaction younger than this do not count as lag: transactional producers commit every few
 * seconds, so the messages will be readable soon.
 */
export const youngTransactionSeconds = 10

/** R12: more messages wait than LAG_WARNING_MESSAGES. */
export const consumerLagHigh: Rule = ({ measures, lags, thresholds }) => {
  const { lagMessages } = measures
  // The lag of the known partitions is a lower bound for all.
  const atLeast = lags.reduce((sum, lag) => sum + (lag.lagMessages ?? 0) - aboutToBeReadable(lag), 0)
  if (atLeast > thresholds.lag.warningMessages) {
    const waiting = Math.max(...lags.map(({ waitingSeconds }) => waitingSeconds ?? 0))
    const since = waiting > 0 ? `, the oldest for ${span(waiting)}` : ''
    // A replay at full speed always has many messages waiting.
    const { replay, freshnessSeconds: behind } = measures
    const isFlood = replay?.isPaced === false && behind.state === 'ok' && behind.value < thresholds.lag.backlogSeconds
    const summary = `${grouped(atLeast)} messages wait${since}${isFlood ? ', while a file is replayed as fast as it goes' : ''}`
    return [found('ConsumerLagHigh', isFlood ? 'info' : 'warning', summary, { value: atLeast, unit: 'messages' })]
  }
  return lagMessages.state === 'unknown' ? [cannotJudge('ConsumerLagHigh', lagMessages.reason)] : []
}

function aboutToBeReadable({ blockedMessages, blockedSeconds }: PartitionLag): number {
  const isYoung = blockedSeconds !== null && blockedSeconds < youngTransactionSeconds
  return isYoung ? (blockedMessages ?? 0) : 0
}

/** R13: the lag has been growing for minutes, or a position moved back. */
export const consumerLagGrowing: Rule = ({ observations, lags, measures, thresholds }) => {
  const { growingSeconds, targetMessages } = thresholds.lag
  const lag = measures.readableLagMessages.state === 'ok' ? measures.readableLagMessages.value : undefined
  const told = { ...(lag === undefined ? {} : { value: lag, unit: 'messages' }) }
  const behind = lags.filter(({ status }) => status === 'WARN' || status === 'REWIND')
  if (behind.length > 0) {
    const whys = [...new Set(behind.map(({ why }) => why))].join('; ')
    const summary = `${partitionList(behind.map(({ partition }) => partition))}: ${whys}`
    return [found('ConsumerLagGrowing', 'warning', summary, told)]
  }
  // Totals can be compared only between observations of the same number of partitions.
  const seen = observations.filter(({ partitions }) => partitions.size === observations.at(-1)?.partitions.size)
  const totals = seen.map((look) => ({ atMs: look.atMs, lag: totalLag(look) }))
  const limits = { spanMs: growingSeconds * 1000, floor: targetMessages }
  if (isGrowingSeries(totals, limits)) {
    return [found('ConsumerLagGrowing', 'warning', `the lag has been growing for ${span(growingSeconds)}`, told)]
  }
  const seenMs = (observations.at(-1)?.atMs ?? 0) - (observations[0]?.atMs ?? 0)
  if (lag === undefined || lag <= targetMessages || seenMs >= limits.spanMs) return []
  return [cannotJudge('ConsumerLagGrowing', `whether it grows is known after ${span(growingSeconds)} of observation`)]
}

function totalLag({ partitions }: PastObservation): number {
  return [...partitions.values()].reduce((sum, partition) => sum + readableLag(partition), 0)
}

/** R14: there is a backlog, and it is processed too slowly. Without a backlog, a low throughput is not a problem. */
export const throughputLow: Rule = (scene) => {
  const { measures, thresholds, observations, lags } = scene
  const { readableLagMessages: lagMessages, throughputPerSecond: rate } = measures
  const { warningMessages, backlogSeconds } = thresholds.lag
  if (lagMessages.state === 'unknown') return [cannotJudge('ThroughputLow', lagMessages.reason)]
  if (lagMessages.value <= warningMessages) return []
  const backlog = trailingObservations(observations, (look) => totalLag(look) > warningMessages)
  const waiting = Math.max(...lags.map(({ waitingSeconds }) => waitingSeconds ?? 0))
  if (backlog.spanMs < backlogSeconds * 1000 && waiting < backlogSeconds) {
    return observations.length > backlog.observations.length
      ? []
      : [cannotJudge('ThroughputLow', `whether this is a backlog is known after ${span(backlogSeconds)}`)]
  }
  if (rate.state === 'unknown') return [cannotJudge('ThroughputLow', rate.reason)]
  if (rate.value >= thresholds.throughput.warningPerSecond) return []
  const severity = isVerySlow(scene, backlog) ? 'critical' : 'warning'
  const summary = `${grouped(rate.value)} messages/s, with ${grouped(lagMessages.value)} messages waiting`
  return [found('ThroughputLow', severity, summary, { value: rate.value, unit: 'messages/s' })]
}

function isVerySlow(
  { thresholds }: RuleScene,
  backlog: { observations: readonly PastObservation[]; spanMs: number },
): boolean {
  const { criticalPerSecond, criticalSeconds } = thresholds.throughput
  if (backlog.spanMs < criticalSeconds * 1000) return false
  const last = backlog.observations.at(-1)?.atMs ?? 0
  // The latest observation that is old enough.
  const from = backlog.observations.findLast(({ atMs }) => last - atMs >= criticalSeconds * 1000)?.atMs ?? last
  const counted = countedOver(backlog.observations, last - from)
  return counted !== undefined && (counted.merged + counted.rejected) / counted.seconds < criticalPerSecond
}
