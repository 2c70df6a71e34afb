import { offsetForLeaderEpochV4 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import { type Divergence, divergenceOf, type EpochEnd, type ReadUpTo } from '../../kpi/leader-epochs.ts'
import { askLeaders } from '../client/ask-leaders.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { kafkaError } from '../client/errors.ts'

const consumerReplica = -1

/**
 * Finds where partitions' logs have diverged from what was read. Left out are partitions that still contain everything
 * that was read, partitions without a known epoch, and all partitions of a re-created topic.
 *
 * @param metadata - Of the topic that was read; its leaders are looked up again.
 * @throws KpiError `KPI_KAFKA_REQUEST` when a partition has no leader or its leader refuses.
 */
export async function findDivergences(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  positions: readonly ReadUpTo[],
): Promise<Map<number, Divergence>> {
  const known = positions.filter(({ leaderEpoch }) => leaderEpoch >= 0)
  if (known.length === 0) return new Map()
  // Leaders may have changed, and partitions may have been added.
  const current = await cluster.topicMetadata(metadata.topic)
  if (current.topicId !== metadata.topicId) return new Map()
  const ends = await epochEnds(cluster, current, new Map(known.map((p) => [p.partition, p.leaderEpoch])))
  const found = new Map<number, Divergence>()
  for (const position of known) {
    const end = ends.get(position.partition)
    const divergence = end && divergenceOf(position, end)
    if (divergence) found.set(position.partition, divergence)
  }
  return found
}

/**
 * Repeats the check after the logs were read.
 *
 * @throws KpiError `KPI_POSITION_MOVED` when a log was truncated in the meantime: the records read may be of two logs.
 */
export async function assertNotCutSince(
  before: ReadonlyMap<number, Divergence>,
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  positions: readonly ReadUpTo[],
): Promise<void> {
  for (const [partition, { agreesTo }] of await findDivergences(cluster, metadata, positions)) {
    if (before.get(partition)?.agreesTo === agreesTo) continue
    const what = `the log of partition ${partition} was cut at offset ${agreesTo} while it was read`
    throw new KpiError('KPI_POSITION_MOVED', `${what}: nothing was changed, run it again`)
  }
}

/** Requests the end of one epoch of each partition from its leader. */
async function epochEnds(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  epochs: ReadonlyMap<number, number>,
): Promise<Map<number, EpochEnd>> {
  return askLeaders(cluster, metadata, [...epochs.keys()], async (leaderId, led) => {
    const asked = led.map(({ partition, leaderEpoch }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: leaderEpoch,
      leaderEpoch: epochs.get(partition) ?? -1,
    }))
    const topics = [{ name: metadata.topic, partitions: asked }]
    const answer = await cluster
      .request(leaderId, 'control', offsetForLeaderEpochV4.api, consumerReplica, topics)
      .catch((error: unknown) => {
        throw kafkaError(error, `broker ${leaderId}`)
      })
    const found = answer.topics[0]?.partitions ?? []
    return new Map(
      found.map(({ partition, leaderEpoch: epoch, endOffset }) => [partition, { epoch, endOffset: Number(endOffset) }]),
    )
  })
}
