import type { KafkaCluster, TopicMetadata } from '../../src/kafka/client/cluster.ts'
import { LogReader } from '../../src/kafka/log/log-reader.ts'
import { decodePlainly } from '../../src/verify/plain-decoder.ts'
import { type PlainWindow, PlainWindows } from '../../src/verify/plain-windows.ts'

export const windowSeconds = 300
/** As the setting `DECIMALS` has it by default. */
export const decimals = 8
/** After which a message is late, by default. */
const latenessSeconds = 120
/** The feed's prices are of the past, and none is refused for being in the future. */
const noLatestUs = Number.POSITIVE_INFINITY

/**
 * What every contender has to come to: the log read back by code that shares nothing with the pipeline's own, JSON.parse
 * and BigInt decimals, one message after the other.
 *
 * @throws Error when the topic does not hold exactly so many messages, all of them good.
 */
export async function readExpectedWindows(
  { cluster, metadata }: { cluster: KafkaCluster; metadata: TopicMetadata },
  wanted: number,
): Promise<ReadonlyMap<string, PlainWindow>> {
  const reader = new LogReader(cluster, metadata)
  const windows = new PlainWindows({ windowSeconds, range: {}, maxWindows: Number.POSITIVE_INFINITY })
  let messages = 0
  for (const { partition } of metadata.partitions) messages += await addPartition(reader, partition, windows)
  if (messages !== wanted) throw new Error(`'${metadata.topic}' holds ${messages} messages, not ${wanted}`)
  return windows.windows
}

async function addPartition(reader: LogReader, partition: number, windows: PlainWindows): Promise<number> {
  let messages = 0
  let watermarkUs = -1
  for await (const { records } of reader.read(partition, 0, Number.MAX_SAFE_INTEGER)) {
    for (const { offset, value } of records) {
      const message = decodePlainly(value, noLatestUs, decimals)
      if (typeof message === 'string') throw new Error(`offset ${offset} of partition ${partition}: ${message}`)
      const { timestampUs } = message
      const lateAfterUs = windows.startOf(timestampUs) + (windowSeconds + latenessSeconds) * 1e6
      windows.add(message, { partition, offset }, watermarkUs > lateAfterUs)
      watermarkUs = Math.max(watermarkUs, timestampUs)
      messages += 1
    }
  }
  return messages
}
