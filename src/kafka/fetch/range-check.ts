import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { findDivergences } from '../log/epoch-ends.ts'
import { listOffsets } from '../log/offsets.ts'
import type { LogRange, PartitionFetch } from './partition-fetch.ts'

/**
 * Returns the log's range when the partition's offset is outside it, or when the log before the offset differs from the
 * one that was read (KIP-320); undefined when the partition can be read on.
 *
 * @throws KpiError when the request to the leader fails.
 */
export async function rangeBeyond(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  { partition, offset, epoch }: PartitionFetch,
): Promise<LogRange | undefined> {
  const [starts, ends, divergences] = await Promise.all([
    listOffsets(cluster, metadata, 'earliest', [partition]),
    listOffsets(cluster, metadata, 'latest', [partition]),
    findDivergences(cluster, metadata, [{ partition, nextOffset: offset, ...epoch }]),
  ])
  const log = { startOffset: starts.get(partition) ?? 0, endOffset: ends.get(partition) ?? 0 }
  const divergence = divergences.get(partition)
  if (divergence) return { ...log, agreesTo: divergence.agreesTo }
  return offset < log.startOffset || offset > log.endOffset ? log : undefined
}
