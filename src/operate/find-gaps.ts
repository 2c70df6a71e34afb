import type { KafkaCluster, TopicMetadata } from '../kafka/cluster.ts'
import { LogReader } from '../kafka/log-reader.ts'
import { listOffsets } from '../kafka/offsets.ts'
import { gapBounds } from '../kpi/gap-bounds.ts'
import { MessageDecoder } from '../kpi/message.ts'
import type { Database } from '../store/connection.ts'
import type { HeldDefinition } from '../store/definition.ts'
import type { Gap } from '../store/gaps.ts'
import { type Position, readPositions } from '../store/positions.ts'
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

/** Messages after a gap that are asked for their time. */
const looksAfter = 100

/** What stands between positions and log: nothing where a position is within its log. By partition. */
export async function findGaps(search: GapSearch): Promise<Gap[]> {
  const { cluster, metadata, database, definition, partitions } = search
  const { consumerGroup: group, topic } = definition
  const positions = await readPositions(database, { group, topic }, partitions)
  const [starts, ends] = await Promise.all([
    listOffsets(cluster, metadata, 'earliest'),
    listOffsets(cluster, metadata, 'latest'),
  ])
  const gaps: Gap[] = []
  for (const position of positions) {
    const { partition, nextOffset } = position
    const [logStart, logEnd] = [starts.get(partition) ?? 0, ends.get(partition) ?? 0]
    const state = stateOf(nextOffset, logStart, logEnd)
    if (state === 'behind the log') gaps.push(await deletedGap(search, position, logStart))
    if (state === 'past the log') gaps.push(cutGap(search, position, logEnd))
  }
  return gaps
}

/** Messages that were deleted before they were read: from the position to where the log begins. */
async function deletedGap(search: GapSearch, position: Position, logStart: number): Promise<Gap> {
  const { cluster, metadata, definition, now } = search
  const { partition, nextOffset, watermarkUs } = position
  const { maxFutureSeconds, decimals } = definition
  const chunk = await new LogReader(cluster, metadata).chunk(partition, logStart)
  const records = chunk?.records.slice(0, looksAfter) ?? []
  const decoder = new MessageDecoder({ maxFutureSeconds, decimals })
  const afterUs: number[] = []
  for (const { value, timestampMs } of records) {
    const referenceMs = timestampMs >= 0 ? timestampMs : now()
    if (value && decoder.decode(value, 0, value.length, referenceMs) === undefined) afterUs.push(decoder.timestampUs)
  }
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

/**
 * Messages that were read, and then cut off the log: from its end to the position. New ones that took offsets below the
 * end meanwhile cannot be told from those that were read, and stay unread: they may be as new as now.
 */
function cutGap({ definition, now }: GapSearch, position: Position, logEnd: number): Gap {
  const { partition, nextOffset, watermarkUs } = position
  const latestUs = (now() + definition.maxFutureSeconds * 1000) * 1000
  const { fromUs, toUs } = gapBounds({ watermarkUs, afterUs: [], latestUs, ...definition })
  return {
    partition,
    kind: 'cut',
    fromOffset: logEnd,
    toOffset: nextOffset,
    fromEventUs: fromUs,
    toEventUs: Math.max(toUs, watermarkUs),
  }
}
