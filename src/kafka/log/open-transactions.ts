import { describeProducersV0, describeTransactionsV0, listTransactionsV0 } from '#kafka-protocol'
import { isOwnMistake } from '../../errors.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { recordTimeAt } from './record-time.ts'

/**
 * A partition's oldest transaction that is neither committed nor aborted: read_committed cannot read beyond its start.
 */
export interface OpenTransaction {
  /** The offset of its first message in the partition. */
  readonly startOffset: number
  /** Null when the partition's leader does not report it. */
  readonly producerId: number | null
  /** The name that its producer has chosen; null when no coordinator that we may ask knows the transaction. */
  readonly transactionalId: string | null
  /** When the transaction started, by the brokers' clocks, in milliseconds since 1970; null when this is unknown. */
  readonly sinceMs: number | null
}

/**
 * Finds the oldest open transaction of each of these partitions. The partition's leader knows the producer, and the
 * transaction's coordinator knows the start time. When the coordinator does not know the transaction (a hanging
 * transaction), or we are not authorized to ask it, the time at which the broker received its first message is used.
 * Details that the brokers do not report, or not to this user, are null.
 *
 * @param startOffsets - The transaction's start by partition: the log's `stable` end, if that is before its `latest`
 *   one.
 */
export async function openTransactions(
  cluster: KafkaCluster,
  metadata: TopicMetadata,
  startOffsets: ReadonlyMap<number, number>,
): Promise<Map<number, OpenTransaction>> {
  if (startOffsets.size === 0) return new Map()
  const producers = await oldestProducers(cluster, metadata, [...startOffsets.keys()])
  const ids = [...new Set(producers.values())]
  const known = ids.length > 0 ? await coordinated(cluster, ids) : []
  const found = await Promise.all(
    [...startOffsets].map(async ([partition, startOffset]) => {
      const producerId = producers.get(partition)
      const own = known.find((state) => state.producerId === producerId)
      // The coordinator may already be at a later transaction of the same producer that does not include this
      // partition.
      const isCurrent = own?.topics.some((t) => t.topic === metadata.topic && t.partitions.includes(partition))
      const startedAtMs =
        isCurrent && own && own.transactionStartTimeMs > 0n ? Number(own.transactionStartTimeMs) : null
      const first = { partition, offset: startOffset, isUncommitted: true, isOfBroker: true }
      const sinceMs = startedAtMs ?? (await recordTimeAt(cluster, metadata, first).catch(untold)) ?? null
      const transactionalId = own?.transactionalId ?? null
      const producer = producerId === undefined ? null : Number(producerId)
      return [partition, { startOffset, producerId: producer, transactionalId, sinceMs }] as const
    }),
  )
  return new Map(found)
}

/** `the transaction of producer 4001 ('orders') that begins at offset 1000`. */
export function transactionText({ producerId, transactionalId, startOffset }: OpenTransaction): string {
  const producer = producerId === null ? 'an unknown producer' : `producer ${producerId}`
  const name = transactionalId === null ? '' : ` ('${shown(transactionalId)}')`
  return `the transaction of ${producer}${name} that begins at offset ${startOffset}`
}

/** Another application chose the id: it may contain any characters and be long. */
function shown(transactionalId: string): string {
  return transactionalId.replace(/\p{Cc}/gu, '?').slice(0, 100)
}

/** The details are optional: a failure to read them must not fail the caller. */
function untold(error: unknown): undefined {
  if (isOwnMistake(error)) throw error
  return undefined
}

/** The answer inside an error: the library throws when one part of an answer has an error. */
function partialAnswer<T>(error: unknown): T | undefined {
  return untold(error) ?? (error as { response?: T }).response
}

async function oldestProducers(
  cluster: KafkaCluster,
  { topic, partitions: all }: TopicMetadata,
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  const asked = all.filter(({ partition, leaderId }) => leaderId >= 0 && partitions.includes(partition))
  const byLeader = Map.groupBy(asked, ({ leaderId }) => leaderId)
  const answers = await Promise.all(
    [...byLeader].map(([leaderId, led]) => {
      const topics = [{ name: topic, partitionIndexes: led.map(({ partition }) => partition) }]
      return cluster
        .request(leaderId, 'control', describeProducersV0.api, topics)
        .catch((error: unknown) => partialAnswer<{ topics: Described['topics'] }>(error))
    }),
  )
  const oldest = new Map<number, bigint>()
  for (const { partitionIndex, activeProducers } of answers.flatMap((answer) => answer?.topics[0]?.partitions ?? [])) {
    const open = activeProducers.filter(({ currentTxnStartOffset }) => currentTxnStartOffset >= 0n)
    const [first] = open.sort((a, b) => Number(a.currentTxnStartOffset - b.currentTxnStartOffset))
    if (first) oldest.set(partitionIndex, first.producerId)
  }
  return oldest
}

type Described = Awaited<ReturnType<typeof describeProducersV0.api.async>>
type TransactionStates = Awaited<ReturnType<typeof describeTransactionsV0.api.async>>['transactionStates']

/**
 * Reads the state of these producers' transactions from all brokers, since any broker may be the coordinator of one.
 */
async function coordinated(cluster: KafkaCluster, producerIds: bigint[]): Promise<TransactionStates> {
  const found = await Promise.all(
    cluster.brokers.map(async ({ nodeId }) => {
      const listed = await cluster
        .request(nodeId, 'control', listTransactionsV0.api, [], producerIds, -1n, null)
        .catch(untold)
      const ids = listed?.transactionStates.map(({ transactionalId }) => transactionalId) ?? []
      if (ids.length === 0) return []
      const described = await cluster
        .request(nodeId, 'control', describeTransactionsV0.api, ids)
        .catch((error: unknown) => partialAnswer<{ transactionStates: TransactionStates }>(error))
      return described?.transactionStates.filter(({ errorCode }) => errorCode === 0) ?? []
    }),
  )
  return found.flat()
}
