import { deleteRecordsV2 } from '@platformatic/kafka'
import { definitionOf } from '../../src/cli/definition.ts'
import { type VerifyOptions, type VerifyReport, verify } from '../../src/verify/verify.ts'
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
