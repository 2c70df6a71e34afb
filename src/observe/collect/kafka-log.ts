import { listOffsetsV7 } from '@platformatic/kafka'
import { isOwnMistake, KpiError } from '../../errors.ts'
import { AnswerMemory } from '../../kafka/answer-memory.ts'
import type { KafkaCluster, TopicMetadata } from '../../kafka/cluster.ts'
import { fetchApiKey, fetchVersions, sendFetch } from '../../kafka/fetch-protocol.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { walkRecords } from '../../kafka/record-batch.ts'
import { timestampType, topicConfigs } from '../../kafka/topic.ts'
import type { LogState, PartitionLog, PartitionState, PositionsState, Source, TopicState } from '../snapshot.ts'
import { withDeadline } from './answer.ts'

export interface LogPlace {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly topicState: TopicState
}

/**
 * Where each partition's log begins and ends, and the time of its newest record. Each leader is asked for itself: one
 * that does not answer costs its own partitions only.
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
    listOffsets(place.cluster, metadata, 'latest', numbers),
    newestTimes(place, asked),
  ])
  return numbers.flatMap((partition) => {
    const [startOffset, endOffset] = [starts.get(partition), ends.get(partition)]
    if (startOffset === undefined || endOffset === undefined) return []
    return [
      { partition, startOffset, endOffset, newestRecordAtMs: newest.get(partition) ?? null, nextRecordAtMs: null },
    ]
  })
}

const maxTimestamp = -3n
const readUncommitted = 0
const consumerReplica = -1

/** Empty where the broker does not tell: it is no more than a time. */
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

/** Partitions whose waiting record is asked for its time: those that are furthest behind. */
const maxTimed = 16

/**
 * Adds the times of the records that wait at the positions. And looks again at the end of a log that seems to end before
 * its position: it was asked for a moment sooner, and records come all the time.
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
    const aborted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
    const settled = await Promise.race([settleEnds(place, log.partitions, held), aborted])
    const known = settled ?? log.partitions
    const times = await Promise.race([waitingTimes(place, known, held), aborted])
    return known.map((p) => ({ ...p, nextRecordAtMs: times?.get(p.partition) ?? null }))
  })
  return { ...log, partitions }
}

async function settleEnds(
  place: LogPlace,
  partitions: readonly PartitionLog[],
  held: ReadonlyMap<number, number>,
): Promise<readonly PartitionLog[]> {
  const passed = partitions.filter(({ partition, endOffset }) => (held.get(partition) ?? 0) > endOffset)
  if (passed.length === 0) return partitions
  const numbers = passed.map(({ partition }) => partition)
  const ends = await listOffsets(place.cluster, metadataOf(place), 'latest', numbers).catch(failure)
  if (ends instanceof Error) return partitions
  return partitions.map((p) => ({ ...p, endOffset: ends.get(p.partition) ?? p.endOffset }))
}

async function waitingTimes(
  place: LogPlace,
  partitions: readonly PartitionLog[],
  held: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, number>> {
  const behind = partitions
    .flatMap(({ partition, startOffset, endOffset }) => {
      const offset = Math.max(held.get(partition) ?? startOffset, startOffset)
      return endOffset > offset ? [{ partition, offset, lag: endOffset - offset }] : []
    })
    .sort((a, b) => b.lag - a.lag)
    .slice(0, maxTimed)
  const times = new Map<number, number>()
  await Promise.all(
    behind.map(async ({ partition, offset }) => {
      const at = await timeAt(place, partition, offset).catch(passing)
      if (at !== undefined) times.set(partition, at)
    }),
  )
  return times
}

function passing(error: unknown): undefined {
  if (isOwnMistake(error)) throw error
  return undefined
}

/** Kafka's timestamp of the first record at or after an offset; undefined where there is none, or it has none. */
async function timeAt(place: LogPlace, partition: number, offset: number): Promise<number | undefined> {
  const { cluster, topicState } = place
  const { leaderId, leaderEpoch } = topicState.partitions.find((p) => p.partition === partition) ?? {}
  if (typeof leaderId !== 'number' || leaderEpoch === undefined) return undefined
  const version = await cluster.apiVersion(leaderId, fetchApiKey, fetchVersions)
  if (version === undefined) return undefined
  // A broker sends one whole batch, however few bytes are asked for.
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, partitionMaxBytes: 1 }
  const request = { topicId: topicState.topicId, ...limits, partitions: [{ partition, offset, leaderEpoch }] }
  const connection = await cluster.connection(leaderId, 'fetch')
  const answer = await sendFetch(connection, version, request, new AnswerMemory())
  const [found] = answer.partitions
  if (found?.errorCode !== 0) return undefined
  const times: number[] = []
  walkRecords(found.records, offset, found.aborted, {
    record: (_buffer, _offset, timestampMs) => {
      if (times.length === 0 && timestampMs >= 0) times.push(timestampMs)
    },
    withoutMessage: () => undefined,
  })
  return times[0]
}
