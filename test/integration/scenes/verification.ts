import { deleteRecordsV2 } from '#kafka-protocol'
import { findGaps } from '../../../src/recovery/find-gaps.ts'
import { viewPartitions } from '../../../src/recovery/partition-states.ts'
import { definitionOf } from '../../../src/services/definition.ts'
import { acceptGap, readGaps } from '../../../src/store/positions/gaps.ts'
import { readDefinition } from '../../../src/store/schema/definition.ts'
import { type VerifyOptions, type VerifyReport, verify } from '../../../src/verify/verify.ts'
import type { Pipeline } from './pipeline.ts'

type Options = Pick<VerifyOptions, 'filter' | 'maxShown' | 'rowsAtOnce'>

/** Verifies a test's pipeline in this process. */
export async function verifyPipeline(pipeline: Pipeline, options: Partial<Options> = {}): Promise<VerifyReport> {
  const { cluster, metadata, owner, config } = pipeline
  const definition = definitionOf(config, metadata)
  return verify({ cluster, metadata, database: owner, definition, filter: {}, ...options })
}

/** What retention does: takes away what a partition holds before an offset. */
export async function deleteRecords({ cluster, metadata }: Pipeline, partition: number, before: number): Promise<void> {
  const leader = metadata.partitions[partition]?.leaderId ?? -1
  const topics = [{ name: metadata.topic, partitions: [{ partitionIndex: partition, offset: BigInt(before) }] }]
  await cluster.request(leader, 'control', deleteRecordsV2.api, topics, 10_000)
}

/** What `offsets show --json` prints, without a process. */
export async function viewOffsets({ cluster, metadata, owner }: Pipeline) {
  const definition = await readDefinition(owner)
  const partitions = await viewPartitions(cluster, metadata, owner, definition)
  return { partitions, gaps: await readGaps(owner, { group: definition.consumerGroup, topic: definition.topic }) }
}

/** What `offsets accept-gap --all --yes` does, without a process. */
export async function acceptGaps({ cluster, metadata, owner: database }: Pipeline): Promise<void> {
  const definition = await readDefinition(database)
  const { consumerGroup: group, topic, id } = definition
  const gaps = await findGaps({ cluster, metadata, database, definition, now: Date.now })
  for (const gap of gaps) await acceptGap(database, { group, topic }, id, gap)
}
