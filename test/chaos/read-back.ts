import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { LogReader } from '../../src/kafka/log-reader.ts'
import { knownMessage } from './known-messages.ts'
import type { ExpectedLetter, Oracle } from './oracle.ts'

/**
 * Reads the newest stretch of the log, by a reader that shares nothing with the workers' or the producer's code, checks
 * that it holds exactly what was acknowledged, in order, and tells the oracle.
 *
 * @param sent - The numbers of the messages, by partition.
 * @throws When the log holds anything else.
 */
export async function readBack(
  from: { cluster: KafkaCluster; topic: string; seed: number },
  oracle: Oracle,
  sent: readonly (readonly number[])[],
): Promise<Map<string, ExpectedLetter>> {
  const metadata = await from.cluster.topicMetadata(from.topic)
  const reader = new LogReader(from.cluster, metadata)
  const letters = new Map<string, ExpectedLetter>()
  for (const { partition } of metadata.partitions) {
    const indexes = sent[partition] ?? []
    const start = oracle.partitions[partition]?.nextOffset ?? 0
    let seen = 0
    for await (const { records } of reader.read(partition, start, Number.MAX_SAFE_INTEGER)) {
      for (const { offset, value } of records) {
        const place = `${partition} ${start + seen}`
        if (offset !== start + seen) throw new Error(`the log has offset ${offset} where ${place} has to be`)
        const index = indexes[seen]
        if (index === undefined) throw new Error(`the log has a message at ${place} that nobody sent: ${value}`)
        const message = knownMessage(from.seed, index)
        if ((value?.toString() ?? '') !== message.value) {
          throw new Error(`the log has at ${place} another message than number ${index}: ${value}`)
        }
        const letter = oracle.add(partition, message)
        if (letter) letters.set(place, letter)
        seen += 1
      }
    }
    if (seen < indexes.length) {
      throw new Error(`partition ${partition} has ${seen} of the ${indexes.length} messages acknowledged last`)
    }
  }
  return letters
}
