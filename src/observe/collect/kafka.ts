import { KpiError } from '../../errors.ts'
import { KafkaCluster } from '../../kafka/client/cluster.ts'
import type { KafkaOptions } from '../../kafka/client/options.ts'
import { withDeadline } from '../../runtime/abort.ts'
import {
  type Asked,
  type ClusterState,
  type PipelineSnapshot,
  type PositionsState,
  type Source,
  type Unknown,
  unknown,
} from '../snapshot.ts'
import { answerUnlessAborted, sourceOf } from './answer.ts'
import { lookAtDisk } from './kafka-disk.ts'
import { lookAtGroup } from './kafka-group.ts'
import { addPositionTimes, lookAtLog } from './kafka-log.ts'
import { lookAtTopic } from './kafka-topic.ts'

type KafkaSources = PipelineSnapshot['kafka']

export interface KafkaLimits {
  /** For everything except the times of waiting records. */
  readonly timeoutMs: number
  /** For the times of waiting records, once the positions are known. */
  readonly timesTimeoutMs: number
}

/**
 * Enough for a TLS handshake and a login over a slow line. Two hosts that drop packets still fit into the default
 * timeout of 3 s.
 */
const connectTimeoutMs = 1500

/**
 * Reads the state of brokers, topic, log, group and disks over new connections, which shows that new clients can
 * connect. Takes no longer than its limits, whatever the brokers do, and throws only our own mistakes.
 *
 * @param positions - Needed for the times of waiting records; read from the database at the same time.
 */
export async function collectKafka(
  options: KafkaOptions,
  asked: Asked,
  positions: Promise<Source<PositionsState>>,
  limits: KafkaLimits,
): Promise<KafkaSources> {
  const { timeoutMs } = limits
  const cluster = new KafkaCluster({ ...options, connectTimeoutMs, requestTimeoutMs: timeoutMs })
  const silence = `Kafka at ${options.bootstrap.join(',')} did not answer within ${timeoutMs / 1000} s`
  const error = new KpiError('KPI_KAFKA_UNREACHABLE', silence)
  try {
    const seen = await withDeadline({ ms: timeoutMs, error }, (signal) => look(cluster, asked, signal))
    const { topic, log } = seen
    if (topic.state === 'unknown' || log.state === 'unknown') return seen
    const place = { cluster, topic: asked.topic, topicState: topic }
    return { ...seen, log: await addPositionTimes(place, log, await positions, limits.timesTimeoutMs) }
  } finally {
    // Not awaited: a host that drops packets would delay it.
    void cluster.close()
  }
}

async function look(cluster: KafkaCluster, asked: Asked, signal: AbortSignal): Promise<KafkaSources> {
  const { topic: name, group: groupName } = asked
  const state = await answerUnlessAborted(signal, () => sourceOf(() => lookAtCluster(cluster)))
  if (state.state === 'unknown') return allUnknown(state)
  const [topic, group] = await Promise.all([
    answerUnlessAborted(signal, () => sourceOf(() => lookAtTopic(cluster, name))),
    answerUnlessAborted(signal, () => sourceOf(() => lookAtGroup(cluster, groupName, name))),
  ])
  const numbers = topic.state === 'ok' ? topic.partitions.map(({ partition }) => partition) : []
  const [log, disk] = await Promise.all([
    logOf({ cluster, topic: name }, topic, signal),
    answerUnlessAborted(signal, () => sourceOf(() => lookAtDisk(cluster, name, numbers))),
  ])
  return { cluster: state, topic, log, group, disk }
}

function allUnknown(why: Unknown): KafkaSources {
  return { cluster: why, topic: why, log: why, group: why, disk: why }
}

async function logOf(
  place: { cluster: KafkaCluster; topic: string },
  topicState: KafkaSources['topic'],
  signal: AbortSignal,
): Promise<KafkaSources['log']> {
  if (topicState.state === 'unknown') return topicState
  if (!topicState.isThere) return unknown(`the topic '${place.topic}' does not exist`)
  return answerUnlessAborted(signal, () => sourceOf(() => lookAtLog({ ...place, topicState })))
}

async function lookAtCluster(cluster: KafkaCluster): Promise<ClusterState> {
  // The first request also opens the connection, so only the second one is timed.
  await cluster.clusterMetadata()
  const askedMs = performance.now()
  const { clusterId, controllerId } = await cluster.clusterMetadata()
  return { clusterId, controllerId, brokers: cluster.brokers, latencyMs: performance.now() - askedMs }
}
