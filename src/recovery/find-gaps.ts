import type { KafkaCluster, TopicMetadata } from '../kafka/client/cluster.ts'
import { findDivergences } from '../kafka/log/epoch-ends.ts'
import { LogReader, type LogRecord } from '../kafka/log/log-reader.ts'
import { listOffsets } from '../kafka/log/offsets.ts'
import { MessageDecoder } from '../kpi/decode/message.ts'
import { gapBounds } from '../kpi/gap-bounds.ts'
import type { Database } from '../store/client/connection.ts'
import type { Gap } from '../store/positions/gaps.ts'
import { type Position, readPositions } from '../store/positions/positions.ts'
import type { HeldDefinition } from '../store/schema/definition.ts'
import { stateOf } from './partition-states.ts'

export interface GapSearch {
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  readonly database: Database
  /** What the database holds; the topic's id checked. */
  readonly definition: HeldDefinition
  /** All of them when left out. */
  readonly partitions?: readonly number[] | undefined
  /** Wall clock, milliseconds. */
  readonly now: () => number
}

/** Messages before or after a gap whose time is read. */
const looksAround = 100

/**
 * The differences between positions and log: none where a position is within its log. By partition, in the order in
 * which they are to be accepted: what was cut takes the position back, perhaps before the log's start.
 */
export async function findGaps(search: GapSearch): Promise<Gap[]> {
  const { cluster, metadata, database, definition, partitions } = search
  const { consumerGroup: group, topic } = definition
  const positions = await readPositions(database, { group, topic }, partitions)
  const [starts, ends, divergences] = await Promise.all([
    listOffsets(cluster, metadata, 'earliest'),
    listOffsets(cluster, metadata, 'latest'),
    findDivergences(cluster, metadata, positions),
  ])
  const gaps: Gap[] = []
  for (const position of positions) {
    const { partition, nextOffset } = position
    const [logStart, logEnd] = [starts.get(partition) ?? 0, ends.get(partition) ?? 0]
    const divergence = divergences.get(partition)
    const state = stateOf(nextOffset, logStart, logEnd, divergence)
    if (state === 'behind the log') gaps.push(await deletedGap(search, position, logStart))
    if (state === 'past the log') gaps.push(await cutGap(search, position, { agreesTo: logEnd, logStart }))
    if (!divergence) continue
    gaps.push(await cutGap(search, position, { ...divergence, logStart }))
    if (divergence.agreesTo >= logStart) continue
    gaps.push(await deletedGap(search, { ...position, nextOffset: divergence.agreesTo }, logStart))
  }
  return gaps
}

/** Messages that were deleted before they were read: from the position to where the log begins. */
async function deletedGap(search: GapSearch, position: Position, logStart: number): Promise<Gap> {
  const { cluster, metadata, definition, now } = search
  const { partition, nextOffset, watermarkUs } = position
  const { maxFutureSeconds } = definition
  const chunk = await new LogReader(cluster, metadata).chunk(partition, logStart)
  const records = chunk?.records.slice(0, looksAround) ?? []
  const afterUs = acceptedUs(search, records)
  const appendedAtMs = chunk?.isAppendTime ? records[0]?.timestampMs : undefined
  const latestUs = ((appendedAtMs ?? now()) + maxFutureSeconds * 1000) * 1000
  const { fromUs, toUs } = gapBounds({ watermarkUs, afterUs, latestUs, ...definition })
  return {
    partition,
    kind: 'deleted',
    fromOffset: nextOffset,
    toOffset: logStart,
    fromEventUs: fromUs,
    toEventUs: toUs,
  }
}

/** Timestamps of the messages that are accepted, microseconds. */
function acceptedUs({ definition, now }: GapSearch, records: readonly LogRecord[]): number[] {
  const decoder = new MessageDecoder(definition)
  return records.flatMap(({ value, timestampMs }) => {
    const referenceMs = timestampMs >= 0 ? timestampMs : now()
    const isAccepted = value !== null && decoder.decode(value, 0, value.length, referenceMs) === undefined
    return isAccepted ? [decoder.timestampUs] : []
  })
}

interface Cut {
  /** Below it the log is the one that was read. */
  readonly agreesTo: number
  /** Of the leader that wrote the last messages before it; left out where no epoch showed the cut. */
  readonly epoch?: number
  readonly isEstimate?: boolean
  readonly logStart: number
}

/**
 * Messages that were read, and then cut off the log: from where it agrees with what was read to the position. Where no
 * epoch shows it, that is the log's end: new messages at offsets below it cannot be distinguished from those that were
 * read, so they stay unread. They may be as recent as now.
 */
async function cutGap(search: GapSearch, position: Position, cut: Cut): Promise<Gap> {
  const { definition, now } = search
  const { partition, nextOffset, watermarkUs } = position
  const beforeUs = await timestampsBefore(search, partition, cut)
  const latestUs = (now() + definition.maxFutureSeconds * 1000) * 1000
  const bounds = gapBounds({
    watermarkUs: Math.min(watermarkUs, Math.max(-1, ...beforeUs)),
    afterUs: [],
    latestUs,
    ...definition,
  })
  const isExact = cut.epoch !== undefined && !cut.isEstimate
  return {
    partition,
    kind: 'cut',
    fromOffset: cut.agreesTo,
    toOffset: nextOffset,
    fromEventUs: bounds.fromUs,
    toEventUs: isExact ? Math.max(bounds.fromUs, watermarkUs) : Math.max(bounds.toUs, watermarkUs),
    epochBefore: cut.epoch ?? -1,
  }
}

/** Of the last accepted messages before a cut: how far the watermark was when the messages that were cut were read. */
async function timestampsBefore(search: GapSearch, partition: number, { agreesTo, logStart }: Cut): Promise<number[]> {
  const from = Math.max(logStart, agreesTo - looksAround)
  const found: number[] = []
  for await (const { records } of new LogReader(search.cluster, search.metadata).read(partition, from, agreesTo)) {
    found.push(...acceptedUs(search, records))
  }
  return found
}
