import { incrementalAlterConfigsV1, listOffsetsV7, metadataV12 } from '#kafka-protocol'
import { messageOf } from '../../../src/errors.ts'
import type { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { until } from '../../integration/scenes/until.ts'

/** Who has a partition, as the brokers say. */
export interface Replicas {
  readonly partition: number
  readonly leader: number
  readonly epoch: number
  readonly all: readonly number[]
  /** Of them, those that have everything that was acknowledged. */
  readonly inSync: readonly number[]
}

interface Ends {
  /** Behind the last message. */
  readonly end: number
  /** Where the first open transaction begins, or `end`. */
  readonly stable: number
}

const inSyncLimitMs = 60_000
const topicResource = 2
const set = 0
const latest = -1n
const isolation = { uncommitted: 0, committed: 1 } as const

/** Every partition of a topic. @throws When the brokers cannot be asked, or do not know one's leader. */
async function replicasOf(cluster: KafkaCluster, topic: string): Promise<Replicas[]> {
  const answer = await cluster.request('any', 'control', metadataV12.api, [topic], false, false)
  const partitions = answer.topics[0]?.partitions ?? []
  return partitions
    .map((found) => ({
      partition: found.partitionIndex,
      leader: found.errorCode === 0 ? found.leaderId : -1,
      epoch: found.leaderEpoch,
      all: found.replicaNodes,
      inSync: found.isrNodes,
    }))
    .sort((a, b) => a.partition - b.partition)
}

/** Waits until the replicas are as they should be; brokers may be away and elections under way. */
export function untilReplicas(
  from: { cluster: KafkaCluster; topic: string },
  what: string,
  holds: (replicas: readonly Replicas[]) => boolean,
  limitMs = inSyncLimitMs,
): Promise<Replicas[]> {
  const look = () => replicasOf(from.cluster, from.topic).catch((error: unknown) => messageOf(error))
  return until(what, look, (found) => typeof found !== 'string' && holds(found), limitMs) as Promise<Replicas[]>
}

/** Until every broker that should have a partition has all of it, so that none of them can lose anything by itself. */
export function untilInSync(from: { cluster: KafkaCluster; topic: string }): Promise<Replicas[]> {
  return untilReplicas(from, 'all replicas in sync', (found) =>
    found.every(({ leader, all, inSync }) => leader >= 0 && inSync.length === all.length),
  )
}

/** The ends of all partitions, as their leaders say. */
async function endsOf(cluster: KafkaCluster, topic: string): Promise<Map<number, Ends>> {
  const ends = new Map<number, Ends>()
  for (const { partition, leader, epoch } of await replicasOf(cluster, topic)) {
    const ask = async (level: number) => {
      const partitions = [{ partitionIndex: partition, currentLeaderEpoch: epoch, timestamp: latest }]
      const topics = [{ name: topic, partitions }]
      const answer = await cluster.request(leader, 'control', listOffsetsV7.api, -1, level, topics)
      return Number(answer.topics[0]?.partitions[0]?.offset ?? -1)
    }
    ends.set(partition, { stable: await ask(isolation.committed), end: await ask(isolation.uncommitted) })
  }
  return ends
}

/** Until no transaction is open. @returns Where each partition ends. */
export async function untilSettled(from: { cluster: KafkaCluster; topic: string }, limitMs: number): Promise<number[]> {
  const look = () => endsOf(from.cluster, from.topic).catch((error: unknown) => messageOf(error))
  const isSettled = (found: Awaited<ReturnType<typeof look>>) =>
    typeof found !== 'string' && [...found.values()].every(({ stable, end }) => stable === end && end >= 0)
  const found = await until('the end of all transactions', look, isSettled, limitMs)
  return typeof found === 'string' ? [] : [...found.values()].map(({ end }) => end)
}

/** Sets configs of a topic. */
export async function setTopicConfigs(
  cluster: KafkaCluster,
  topic: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const changes = Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: set }) as const)
  const resources = [{ resourceType: topicResource, resourceName: topic, configs: changes }] as const
  await cluster.request('any', 'control', incrementalAlterConfigsV1.api, [...resources], false)
}

/**
 * Whether a replica that is not in sync may lead. Only while a fault wants that: a broker that stops for another reason,
 * such as a full disk, would lose messages that nobody has noted.
 */
export async function allowUncleanElections(
  from: { cluster: KafkaCluster; topic: string },
  isAllowed: boolean,
): Promise<void> {
  const configs = { 'unclean.leader.election.enable': String(isAllowed) }
  const change = () => setTopicConfigs(from.cluster, from.topic, configs).then(() => 'changed', messageOf)
  await until('the topic to take its setting', change, (outcome) => outcome === 'changed', inSyncLimitMs)
}
