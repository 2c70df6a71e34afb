import { offsetCommitV8 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import type { GroupCoordinator, Refusal } from './group-coordinator.ts'

export interface OffsetCommit {
  readonly topic: string
  readonly offsets: ReadonlyMap<number, number>
  readonly memberId: string
  /** The group's generation. */
  readonly generation: number
}

const commitTimeoutMs = 10_000
const unknownLeaderEpoch = -1

/**
 * Commits on the control connection, since a join may block the group's connection for long.
 *
 * @returns The coordinator's refusal; undefined when it accepted all offsets.
 * @throws KpiError when the coordinator cannot be reached.
 */
export async function commitOffsets(coordinator: GroupCoordinator, commit: OffsetCommit): Promise<Refusal | undefined> {
  const partitions = [...commit.offsets].map(([partitionIndex, offset]) => ({
    partitionIndex,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: unknownLeaderEpoch,
    committedMetadata: '',
  }))
  const options = { purpose: 'control', timeoutMs: commitTimeoutMs } as const
  const topics = [{ name: commit.topic, partitions }]
  const { group } = coordinator
  const answer = await coordinator.ask(
    options,
    offsetCommitV8.api,
    group,
    commit.generation,
    commit.memberId,
    null,
    topics,
  )
  return answer.refusal
}

export function commitRefused(group: string, why: string): KpiError {
  return new KpiError('KPI_KAFKA_REQUEST', `the group '${group}' does not take offsets of us now: ${why}`)
}
