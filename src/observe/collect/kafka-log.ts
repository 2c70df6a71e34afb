import { listOffsetsV7 } from '#kafka-protocol'
import { isOwnMistake, KpiError } from '../../errors.ts'
import type { KafkaCluster, TopicMetadata } from '../../kafka/client/cluster.ts'
import { timestampType, topicConfigs } from '../../kafka/client/topic.ts'
import { listOffsets } from '../../kafka/log/offsets.ts'
import { type OpenTransaction, openTransactions } from '../../kafka/log/open-transactions.ts'
import { recordTimeAt } from '../../kafka/log/record-time.ts'
import { unlessAborted, withDeadline } from '../../runtime/abort.ts'
import {
  type LogState,
  type PartitionLog,
  type PartitionState,
  type PositionsState,
  readableEnd,
  type Source,
  type TopicState,
} from '../snapshot.ts'

export interface LogPlace {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly topicState: TopicState
}

/**
 * Reads the start and end offset of each partition's log, and the time of its newest record. Each leader gets its own
 * requests, so that only the partitions of a leader that does not answer are missing.
 */
export async function lookAtLog(place: LogPlace): Promise<LogState> {
  const { cluster, topic, topicState } = place
  const byLeader = Map.groupBy(
    topicState.partitions.filter(({ leaderId }) => leaderId !== null),
    ({ leaderId }) => leaderId,
  )
  const [type, ...answers] = await Promise.all([
    topicConfigs(cluster, topic).then((configs) => configs.get(timestampType)),
    ...[...byLeader.values()].map((partitions) => partitionLogs(place, partitions).catch(failure)),
  ])
  const partitions = answers.flatMap((answer) => (answer instanceof Error ? [] : answer))
  const failed = answers.find((answer) => answer instanceof Error)
  if (partitions.length === 0 && failed) throw failed
  return {
    isAppendTime: type === undefined ? null : type === 'LogAppendTime',
    partitions: partitions.sort((a, b) => a.partition - b.partition),
  }
}

function failure(error: unknown): KpiError {
  if (error instanceof KpiError) return error
  throw error
}

function metadataOf({ topic, topicState }: LogPlace): TopicMetadata {
  const partitions = topicState.partitions.map(({ partition, leaderId, leaderEpoch }) => ({
    partition,
    leaderId: leaderId ?? -1,
    leaderEpoch,
  }))
  return { clusterId: '', controllerId: -1, topic, topicId: topicState.topicId, partitions }
}

async function partitionLogs(place: LogPlace, asked: readonly PartitionState[]): Promise<PartitionLog[]> {
  const metadata = metadataOf(place)
  const numbers = asked.map(({ partition }) => partition)
  const [starts, ends, newest] = await Promise.all([
    listOffsets(place.cluster, metadata, 'earliest', numbers),
    endsOf(place, numbers),
    newestTimes(place, asked),
  ])
  return numbers.flatMap((partition) => {
    const [startOffset, end] = [starts.get(partition), ends.get(partition)]
    if (startOffset === undefined || end === undefined) return []
    const newestRecordAtMs = newest.get(partition) ?? null
    return [{ partition, startOffset, ...end, newestRecordAtMs, nextRecordAtMs: null }]
  })
}

type Ends = Pick<PartitionLog, 'endOffset' | 'openTransaction'>

/**
 * Reads the end offset before the stable offset. In the other order, messages that arrive between the two requests
 * would look as if they waited for an open transaction.
 */
async function endsOf(place: LogPlace, partitions: readonly number[]): Promise<Map<number, Ends>> {
  const metadata = metadataOf(place)
  const ends = await listOffsets(place.cluster, metadata, 'latest', partitions)
  const stable = await listOffsets(place.cluster, metadata, 'stable', partitions)
  return new Map(
    [...ends].map(([partition, endOffset]) => {
      const startOffset = stable.get(partition) ?? endOffset
      const isOpen = startOffset < endOffset
      const openTransaction = isOpen ? { startOffset, producerId: null, transactionalId: null, sinceMs: null } : null
      return [partition, { endOffset, openTransaction }]
    }),
  )
}

const maxTimestamp = -3n
const readUncommitted = 0
const consumerReplica = -1

/**
 * The time of the newest record of each partition. Empty if the broker does not report it, since it is not essential.
 */
async function newestTimes(place: LogPlace, asked: readonly PartitionState[]): Promise<ReadonlyMap<number, number>> {
  const leaderId = asked[0]?.leaderId ?? -1
  const partitions = asked.map(({ partition, leaderEpoch }) => ({
    partitionIndex: partition,
    currentLeaderEpoch: leaderEpoch,
    timestamp: maxTimestamp,
  }))
  const topics = [{ name: place.topic, partitions }]
  try {
    const { api } = listOffsetsV7
    const answer = await place.cluster.request(leaderId, 'control', api, consumerReplica, readUncommitted, topics)
    const found = answer.topics[0]?.partitions ?? []
    return new Map(found.filter(({ timestamp }) => timestamp >= 0n).map((p) => [p.partitionIndex, Number(p.timestamp)]))
  } catch (error) {
    if (isOwnMistake(error)) throw error
    return new Map()
  }
}

/**
 * For at most this many partitions, those furthest behind, the next record's time and the open transaction are
 * requested.
 */
const maxTimed = 16

/**
 * Adds the times of the records that wait at the positions, and the transactions that block them. If a log seems to end
 * before the position, its end is requested again: it was read a moment before the position, and has grown since.
 */
export async function addPositionTimes(
  place: LogPlace,
  log: { readonly state: 'ok' } & LogState,
  positions: Source<PositionsState>,
  timeoutMs: number,
): Promise<Source<LogState>> {
  if (positions.state === 'unknown') return log
  const held = new Map(positions.partitions.map(({ partition, nextOffset }) => [partition, nextOffset]))
  const error = new KpiError('KPI_KAFKA_UNREACHABLE', 'no answer in time')
  const partitions = await withDeadline({ ms: timeoutMs, error }, async (signal) => {
    const settled = await unlessAborted(settleEnds(place, log.partitions, held), signal)
    const known = settled ?? log.partitions
    const [times, open] = await Promise.all([
      unlessAborted(waitingTimes(place, known, held), signal),
      unlessAborted(blockingTransactions(place, known), signal),
    ])
    return known.map((p) => ({
      ...p,
      openTransaction: open?.get(p.partition) ?? p.openTransaction,
      nextRecordAtMs: times?.get(p.partition) ?? null,
    }))
  })
  return { ...log, partitions }
}

async function settleEnds(
  place: LogPlace,
  partitions: readonly PartitionLog[],
  held: ReadonlyMap<number, number>,
): Promise<readonly PartitionLog[]> {
  const passed = partitions.filter((p) => (held.get(p.partition) ?? 0) > readableEnd(p))
  if (passed.length === 0) return partitions
  const numbers = passed.map(({ partition }) => partition)
  const ends = await endsOf(place, numbers).catch(failure)
  if (ends instanceof Error) return partitions
  return partitions.map((p) => ({ ...p, ...ends.get(p.partition) }))
}

async function blockingTransactions(
  place: LogPlace,
  partitions: readonly PartitionLog[],
): Promise<ReadonlyMap<number, OpenTransaction>> {
  const blocked = partitions
    .filter(({ openTransaction }) => openTransaction !== null)
    .sort((a, b) => b.endOffset - readableEnd(b) - (a.endOffset - readableEnd(a)))
    .slice(0, maxTimed)
  const startOffsets = new Map(blocked.map((p) => [p.partition, readableEnd(p)]))
  return openTransactions(place.cluster, metadataOf(place), startOffsets)
}

async function waitingTimes(
  place: LogPlace,
  partitions: readonly PartitionLog[],
  held: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, number>> {
  const behind = partitions
    .flatMap((p) => {
      const { partition, startOffset, endOffset } = p
      const offset = Math.max(held.get(partition) ?? startOffset, startOffset)
      const isUncommitted = offset >= readableEnd(p)
      return endOffset > offset ? [{ partition, offset, isUncommitted, lag: endOffset - offset }] : []
    })
    .sort((a, b) => b.lag - a.lag)
    .slice(0, maxTimed)
  const times = new Map<number, number>()
  await Promise.all(
    behind.map(async (waiting) => {
      const at = await recordTimeAt(place.cluster, metadataOf(place), waiting).catch(passing)
      if (at !== undefined) times.set(waiting.partition, at)
    }),
  )
  return times
}

function passing(error: unknown): undefined {
  if (isOwnMistake(error)) throw error
  return undefined
}
