import { initProducerIdV4 } from '@platformatic/kafka'
import { Backoff, pause } from './backoff.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { kafkaError } from './errors.ts'
import { type ProducerIdentity, ProducerPartition, type ProducerTrace } from './producer-partition.ts'
import type { Compression } from './record-batch-writer.ts'

/** What an earlier process wrote last, by partition. */
export type ProducerTraces = ReadonlyMap<number, ProducerTrace>

const patienceMs = 30_000
const backoffLimits = { firstMs: 100, capMs: 2000 }
const transactionTimeoutMs = 60_000 // of no meaning without transactions

/**
 * Gets a new producer id; a fresh broker needs a moment before it gives out any.
 *
 * @throws KpiError `KPI_KAFKA_UNREACHABLE`, `KPI_KAFKA_AUTH`, `KPI_KAFKA_REQUEST`.
 */
export async function obtainIdentity(cluster: KafkaCluster, signal: AbortSignal): Promise<ProducerIdentity> {
  const until = performance.now() + patienceMs
  const backoff = new Backoff(backoffLimits)
  for (;;) {
    try {
      const found = await cluster.request('any', 'control', initProducerIdV4.api, null, transactionTimeoutMs, -1n, -1)
      return { producerId: found.producerId, epoch: found.producerEpoch }
    } catch (error) {
      const failure = kafkaError(error, 'the brokers')
      if (!failure.retryable || performance.now() > until || signal.aborted) throw failure
      await pause(backoff.nextMs(), signal)
    }
  }
}

/** The identity under which earlier traces go on; a partition without one begins under the oldest of them. */
export function identityOf(traces: ProducerTraces): ProducerIdentity | undefined {
  const [oldest] = [...traces.values()].sort((a, b) => a.epoch - b.epoch)
  return oldest
}

/** One for each partition of the topic, behind what an earlier process wrote where there is such a thing. */
export function createPartitions(
  metadata: TopicMetadata,
  identity: ProducerIdentity,
  options: { compression: Compression; maxBatchBytes: number; traces: ProducerTraces },
): ProducerPartition[] {
  const { compression, maxBatchBytes, traces } = options
  return metadata.partitions.map(({ partition }) => {
    const trace = traces.get(partition)
    return new ProducerPartition({
      partition,
      identity: trace ?? identity,
      compression,
      maxBatchBytes,
      ...(traces.size > 0 ? { continuesAfter: trace?.sequence ?? -1 } : {}),
    })
  })
}
