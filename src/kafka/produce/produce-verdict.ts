import { KpiError } from '../../errors.ts'
import type { Impasse, QueuedBatch, Verdict } from './producer-partition.ts'

/** An error that sending again cannot fix. */
export interface Fatal {
  readonly fatal: (topic: string, name: string) => KpiError
}

/** Transient refusals: nothing was written. An error code that is not listed is fatal. */
const refusals = new Set([
  2, // CORRUPT_MESSAGE: damaged in transit
  3, // UNKNOWN_TOPIC_OR_PARTITION: the broker does not have the metadata yet, or the topic was deleted
  5, // LEADER_NOT_AVAILABLE
  6, // NOT_LEADER_OR_FOLLOWER
  9, // REPLICA_NOT_AVAILABLE
  19, // NOT_ENOUGH_REPLICAS
  56, // KAFKA_STORAGE_ERROR
  74, // FENCED_LEADER_EPOCH
  75, // UNKNOWN_LEADER_EPOCH
  89, // THROTTLING_QUOTA_EXCEEDED
])
/** The batch may have been written: REQUEST_TIMED_OUT, NETWORK_EXCEPTION, NOT_ENOUGH_REPLICAS_AFTER_APPEND. */
const doubts = new Set([7, 13, 20])
/** TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED. */
const forbidden = new Set([29, 31])
/** INVALID_PRODUCER_EPOCH, PRODUCER_FENCED. */
const fenced = new Set([47, 90])

/** What a partition's error code in the answer to a Produce request means for its batch. */
export function verdictOf(errorCode: number): Verdict | Fatal {
  if (errorCode === 0) return 'written'
  if (errorCode === 46) return 'written' // DUPLICATE_SEQUENCE_NUMBER: already written
  if (errorCode === 45 || errorCode === 59) return 'outOfSequence' // OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID
  if (errorCode === 10 || errorCode === 18) return 'tooLarge' // MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE
  if (refusals.has(errorCode)) return 'refused'
  if (doubts.has(errorCode)) return 'unknown'
  return { fatal: (topic, name) => fatalError(errorCode, topic, name) }
}

function fatalError(errorCode: number, topic: string, name: string): KpiError {
  if (forbidden.has(errorCode)) {
    return new KpiError('KPI_KAFKA_AUTH', `Kafka does not let us write to the topic '${topic}' (${name})`)
  }
  if (fenced.has(errorCode)) {
    return new KpiError('KPI_KAFKA_FENCED', `Kafka no longer accepts this producer on '${topic}' (${name})`)
  }
  return new KpiError('KPI_KAFKA_REQUEST', `Kafka refused messages for the topic '${topic}' with ${name}`)
}

/** Why the producer must give up on a partition. */
export function impasseError(
  impasse: Impasse,
  { topic, partition, batch }: { topic: string; partition: number; batch: QueuedBatch },
): KpiError {
  if (impasse === 'tooLarge') {
    return new KpiError(
      'KPI_KAFKA_REQUEST',
      `a message of ${batch.records.length} bytes is more than the topic '${topic}' takes: raise its max.message.bytes`,
    )
  }
  if (impasse === 'overtaken') {
    return new KpiError(
      'KPI_KAFKA_FENCED',
      `partition ${partition} of '${topic}' got messages of an earlier feed after this one had looked where that ended: stop the other feed if it still runs, and start this one again`,
    )
  }
  return new KpiError(
    'KPI_KAFKA_FENCED',
    `partition ${partition} of '${topic}' has forgotten this producer while messages were under way: whether they were written is unknown; start the feed again`,
  )
}
