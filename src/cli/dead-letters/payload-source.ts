import type { Config } from '../../config/load.ts'
import { KpiError } from '../../errors.ts'
import { KafkaCluster } from '../../kafka/client/cluster.ts'
import { kafkaOptions } from '../../kafka/client/options.ts'
import { LogReader } from '../../kafka/log/log-reader.ts'
import { LetterPayloads } from '../../recovery/letter-payloads.ts'
import type { HeldDefinition } from '../../store/schema/definition.ts'

/** Reads the values of dead letters. It connects to Kafka only when a value has to be read from there. */
export async function withPayloads<T>(
  config: Config,
  definition: HeldDefinition,
  work: (payloads: LetterPayloads) => Promise<T>,
): Promise<T> {
  let cluster: KafkaCluster | undefined
  const payloads = new LetterPayloads(async () => {
    cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-dead-letters'))
    const metadata = await cluster.topicMetadata(definition.topic)
    if (metadata.topicId === definition.topicId) return new LogReader(cluster, metadata)
    throw new KpiError(
      'KPI_TOPIC_RECREATED',
      `the topic '${definition.topic}' was deleted and created again: it does not hold these messages any more`,
    )
  })
  try {
    return await work(payloads)
  } finally {
    await cluster?.close()
  }
}
