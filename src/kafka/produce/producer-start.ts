import { initProducerIdV4 } from '#kafka-protocol'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { kafkaError } from '../client/errors.ts'
import { retry } from '../client/retry.ts'
import type { BatchBuffers } from '../records/batch-buffers.ts'
import type { Compression } from '../records/record-batch-writer.ts'
import { type ProducerIdentity, ProducerPartition, type ProducerTrace } from './producer-partition.ts'

/** The last record that an earlier process wrote, by partition. */
export type ProducerTraces = ReadonlyMap<number, ProducerTrace>

const transactionTimeoutMs = 60_000 // unused without transactions

/**
 * Gets a new producer id. A newly started broker needs a moment before it can assign one.
 *
 * @throws KpiError `KPI_KAFKA_UNREACHABLE`, `KPI_KAFKA_AUTH`, `KPI_KAFKA_REQUEST`.
 */
export function obtainIdentity(cluster: KafkaCluster, signal: AbortSignal): Promise<ProducerIdentity> {
  return retry(async () => {
    try {
      const { api } = initProducerIdV4
      const found = await cluster.request('any', 'control', api, null, transactionTimeoutMs, -1n, -1)
      return { producerId: found.producerId, epoch: found.producerEpoch }
    } catch (error) {
      throw kafkaError(error, 'the brokers')
    }
  }, signal)
}

/** The identity with which a producer continues. A partition without a trace starts with the oldest identity. */
export function identityOf(traces: ProducerTraces): ProducerIdentity | undefined {
  const [oldest] = [...traces.values()].sort((a, b) => a.epoch - b.epoch)
  return oldest
}

/** Creates one for each partition of the topic, continuing after an earlier process where there is a trace of one. */
export function createPartitions(
  metadata: TopicMetadata,
  identity: ProducerIdentity,
  options: { compression: Compression; maxBatchBytes: number; buffers: BatchBuffers; traces: ProducerTraces },
): ProducerPartition[] {
  const { compression, maxBatchBytes, buffers, traces } = options
  return metadata.partitions.map(({ partition }) => {
    const trace = traces.get(partition)
    return new ProducerPartition({
      partition,
      identity: trace ?? identity,
      compression,
      maxBatchBytes,
      buffers,
      ...(traces.size > 0 ? { continuesAfter: trace?.sequence ?? -1 } : {}),
    })
  })
}
