import { type Connection, describeProducersV0, Writer } from '#kafka-protocol'
import type { KafkaCluster } from '../../../src/kafka/client/cluster.ts'

/** https://kafka.apache.org/protocol#The_Messages_WriteTxnMarkers */
const writeTxnMarkers = { apiKey: 27, version: 1 } as const

/** A producer's transaction that is open in a partition, as the partition's leader describes it. */
interface Hanging {
  readonly topic: string
  readonly partition: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/**
 * Aborts every transaction that is open in a topic, as `kafka-transactions.sh abort` does it for an administrator: the
 * leaders are told to write the marker that the coordinator never sent.
 */
export async function abortHanging(cluster: KafkaCluster, topic: string): Promise<void> {
  const { partitions } = await cluster.topicMetadata(topic)
  for (const { partition, leaderId } of partitions) {
    const asked = [{ name: topic, partitionIndexes: [partition] }]
    const { topics } = await cluster.request(leaderId, 'control', describeProducersV0.api, asked)
    const producers = topics[0]?.partitions[0]?.activeProducers ?? []
    for (const { producerId, producerEpoch, coordinatorEpoch, currentTxnStartOffset } of producers) {
      if (currentTxnStartOffset < 0n) continue
      const connection = await cluster.connection(leaderId, 'control')
      await abort(connection, { topic, partition, producerId, producerEpoch, coordinatorEpoch })
    }
  }
}

function abort(connection: Connection, hanging: Hanging): Promise<void> {
  const { apiKey, version } = writeTxnMarkers
  return new Promise((resolve, reject) => {
    connection.send(
      apiKey,
      version,
      () => writeAbort(hanging),
      () => undefined,
      true,
      true,
      (error) => (error ? reject(error) : resolve()),
    )
  })
}

function writeAbort({ topic, partition, producerId, producerEpoch, coordinatorEpoch }: Hanging): Writer {
  return Writer.create()
    .appendArray([producerId], (markers) => {
      markers
        .appendInt64(producerId)
        .appendInt16(producerEpoch)
        .appendBoolean(false) // an abort
        .appendArray([topic], (topics) => {
          topics.appendString(topic).appendArray([partition], (w) => w.appendInt32(partition), true, false)
        })
        .appendInt32(Math.max(coordinatorEpoch, 0))
    })
    .appendTaggedFields()
}
