// Several brokers on this machine are one cluster: each knows all, and a partition outlives its leader.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTopicsV7 } from '#kafka-protocol'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { send } from '../scenes/market.ts'
import { contentOf } from '../scenes/topic-content.ts'
import { until } from '../scenes/until.ts'
import { OwnCluster } from '../servers/own-cluster.ts'

const topic = 'prices'
let brokers: OwnCluster
let cluster: KafkaCluster

beforeAll(async () => {
  brokers = await OwnCluster.start()
  cluster = new KafkaCluster({ bootstrap: brokers.bootstrap, clientId: 'test' })
}, 120_000)

afterAll(async () => {
  await cluster.close()
  await brokers.stop()
})

it('three brokers are one cluster, and a topic is on all of them by default', async () => {
  await cluster.clusterMetadata()
  expect(cluster.brokers.map(({ nodeId }) => nodeId).sort()).toEqual([1, 2, 3])
  const wanted = { name: topic, numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }
  await cluster.request('any', 'control', createTopicsV7.api, [wanted], 15_000, false)
  await until(
    'a leader',
    () => cluster.topicMetadata(topic).catch(() => undefined),
    (found) => (found?.partitions[0]?.leaderId ?? -1) > 0,
  )
})

it('what was acknowledged outlives the leader, and is there when it is back', async () => {
  await send(cluster, topic, [{ symbol: 'A', value: 'before' }])
  const leaderOf = async () =>
    (await cluster.topicMetadata(topic).catch(() => undefined))?.partitions[0]?.leaderId ?? -1
  const first = await leaderOf()
  await brokers.node(first).kill()
  await until('another leader', leaderOf, (leader) => leader > 0 && leader !== first)
  await send(cluster, topic, [{ symbol: 'A', value: 'meanwhile' }])
  await brokers.node(first).start()
  const [records = []] = await contentOf(cluster, topic)
  expect(records.map(({ value }) => value)).toEqual(['before', 'meanwhile'])
}, 120_000)
