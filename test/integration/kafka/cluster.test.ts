// What we know of a cluster, a topic and its offsets, and how failures on the way are told.
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { describe, expect, inject, it } from 'vitest'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { prepareTopic } from '../../../src/kafka/client/topic.ts'
import { listOffsets } from '../../../src/kafka/log/offsets.ts'
import { createTopic, deleteRecords, deleteTopic, makeTopic, valuesFor } from '../scenes/kafka-topic.ts'
import { send } from '../scenes/market.ts'
import { until } from '../scenes/until.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

const metadataApiKey = 3

async function withCluster<T>(
  options: Partial<ConstructorParameters<typeof KafkaCluster>[0]>,
  work: (cluster: KafkaCluster) => Promise<T>,
): Promise<T> {
  const cluster = new KafkaCluster({ bootstrap: [inject('bootstrap')], clientId: 'test', ...options })
  try {
    return await work(cluster)
  } finally {
    await cluster.close()
  }
}

/** A server that takes connections and says nothing. */
async function silentServer(): Promise<{ address: string } & AsyncDisposable> {
  const server: Server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    address: `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

/** Nobody listens there: the port was free a moment ago. */
async function refusingAddress(): Promise<string> {
  await using server = await silentServer()
  return server.address
}

describe('a topic', () => {
  it('is told with its id, its partitions and their leaders', async () => {
    await using topic = await makeTopic({ partitions: 3 })
    const metadata = await topic.cluster.topicMetadata(topic.name)
    expect(metadata).toMatchObject({ topic: topic.name, topicId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(metadata.partitions.map(({ partition, leaderId }) => [partition, leaderId])).toEqual(
      [0, 1, 2].map((p) => [p, 1]),
    )
    expect(metadata.clusterId).toBe((await topic.cluster.clusterMetadata()).clusterId)
    expect(topic.cluster.brokers).toEqual([
      { nodeId: 1, host: '127.0.0.1', port: Number(inject('bootstrap').split(':')[1]) },
    ])
  })

  it('that is not there, or cannot be, is told as such', async () => {
    await withCluster({}, async (cluster) => {
      await expect(cluster.topicMetadata('not-there')).rejects.toMatchObject({
        code: 'KPI_TOPIC_MISSING',
        retryable: true,
        message: "the topic 'not-there' does not exist: check KAFKA_TOPIC, or create it with 'market-kpi init'",
      })
      await expect(cluster.topicMetadata('not/allowed')).rejects.toMatchObject({ code: 'KPI_CONFIG_INVALID' })
    })
  })

  it('that is made anew has another id', async () => {
    await using topic = await makeTopic()
    await deleteTopic(topic.cluster, topic.name)
    await until(
      'gone',
      () => topic.cluster.topicMetadata(topic.name).catch(({ code }) => code),
      (c) => c === 'KPI_TOPIC_MISSING',
    )
    const again = await createTopic(topic.cluster, topic.name)
    expect(again.topicId).not.toBe(topic.metadata.topicId)
  })
})

describe('a broker', () => {
  it('that refuses connections is told with its address and the reason', async () => {
    const address = await refusingAddress()
    await withCluster({ bootstrap: [address] }, async (cluster) => {
      await expect(cluster.clusterMetadata()).rejects.toMatchObject({
        code: 'KPI_KAFKA_UNREACHABLE',
        message: `Kafka at ${address} does not answer: connect ECONNREFUSED ${address}`,
      })
    })
  })

  it('that takes connections and says nothing is given up', async () => {
    await using server = await silentServer()
    await withCluster({ bootstrap: [server.address], requestTimeoutMs: 300 }, async (cluster) => {
      await expect(cluster.clusterMetadata()).rejects.toMatchObject({ code: 'KPI_KAFKA_UNREACHABLE' })
    })
  })

  it('that knows no TLS is told as such', async () => {
    await withCluster({ tls: {}, connectTimeoutMs: 2000 }, async (cluster) => {
      await expect(cluster.clusterMetadata()).rejects.toMatchObject({ code: 'KPI_KAFKA_UNREACHABLE' })
    })
  })

  it('that knows no logins is told as such', async () => {
    await withCluster({ sasl: { mechanism: 'PLAIN', username: 'u', password: 'p' } }, async (cluster) => {
      await expect(cluster.clusterMetadata()).rejects.toMatchObject({ code: 'KPI_KAFKA_AUTH', retryable: false })
    })
  })

  it('that is away is no matter while another one answers', async () => {
    const away = await refusingAddress()
    await withCluster({ bootstrap: [away, inject('bootstrap')] }, async (cluster) => {
      expect((await cluster.clusterMetadata()).clusterId).not.toBe('')
    })
  })

  it('that takes connections and says nothing is not the first to be asked again', async () => {
    await using server = await silentServer()
    await withCluster({ bootstrap: [server.address, inject('bootstrap')], requestTimeoutMs: 300 }, async (cluster) => {
      await expect(cluster.clusterMetadata()).rejects.toMatchObject({ code: 'KPI_KAFKA_UNREACHABLE' })
      expect((await cluster.clusterMetadata()).clusterId).not.toBe('')
    })
  })

  it('is connected to once for each purpose, and again after the connection broke', async () => {
    await using proxy = await TcpProxy.startKafka(inject('bootstrap'))
    await withCluster({ bootstrap: [proxy.address] }, async (cluster) => {
      await cluster.clusterMetadata()
      const versionOf = () => cluster.apiVersion(1, metadataApiKey, { minVersion: 0, maxVersion: 12 })
      expect(await Promise.all([versionOf(), versionOf(), versionOf()])).toEqual([12, 12, 12])
      await Promise.all([cluster.connection(1, 'fetch'), cluster.connection(1, 'fetch')])
      expect(proxy.connections).toBe(2)
      proxy.cut()
      await until(
        'a new connection',
        () =>
          cluster.clusterMetadata().then(
            () => proxy.connections,
            () => 0,
          ),
        (n) => n > 2,
      )
      expect(proxy.connections).toBe(3)
    })
  })

  it('says which versions of a request it knows', async () => {
    await withCluster({}, async (cluster) => {
      expect(await cluster.apiVersion('any', metadataApiKey, { minVersion: 99, maxVersion: 120 })).toBeUndefined()
      expect(await cluster.apiVersion('any', 999, { minVersion: 0, maxVersion: 1 })).toBeUndefined()
    })
  })

  it('that is not of the cluster is told as such, and nothing is asked after closing', async () => {
    await withCluster({}, async (cluster) => {
      await expect(cluster.connection(77, 'control')).rejects.toThrow(
        'Kafka broker 77 is not in the cluster at the moment',
      )
      await cluster.close()
      await expect(cluster.clusterMetadata()).rejects.toMatchObject({ code: 'KPI_KAFKA_UNREACHABLE' })
    })
  })
})

describe('listOffsets', () => {
  it('tells where the log begins and ends', async () => {
    await using topic = await makeTopic({ partitions: 3 })
    await send(topic.cluster, topic.name, [...valuesFor(0, 3, ['a', 'b', 'c']), ...valuesFor(2, 3, ['d'])])
    await deleteRecords(topic, 0, 2)
    const earliest = await listOffsets(topic.cluster, topic.metadata, 'earliest')
    const latest = await listOffsets(topic.cluster, topic.metadata, 'latest')
    expect([0, 1, 2].map((p) => [earliest.get(p), latest.get(p)])).toEqual([
      [2, 3],
      [0, 0],
      [0, 1],
    ])
    expect(await listOffsets(topic.cluster, topic.metadata, 'latest', [2])).toEqual(new Map([[2, 1]]))
  })

  it('fails where a partition has no leader, and asks again where it has another one by now', async () => {
    await using topic = await makeTopic()
    const [partition = { partition: 0, leaderId: 1, leaderEpoch: 0 }] = topic.metadata.partitions
    const withLeader = (changed: object) => ({ ...topic.metadata, partitions: [{ ...partition, ...changed }] })
    await expect(listOffsets(topic.cluster, withLeader({ leaderId: -1 }), 'latest')).rejects.toMatchObject({
      code: 'KPI_KAFKA_REQUEST',
      message: `partition 0 of '${topic.name}' has no leader at the moment`,
    })
    expect(await listOffsets(topic.cluster, withLeader({ leaderEpoch: 9 }), 'latest')).toEqual(new Map([[0, 0]]))
    await expect(listOffsets(topic.cluster, topic.metadata, 'latest', [5])).rejects.toThrow('partition 5')
  })
})

describe('prepareTopic', () => {
  const wantedOf = (partitions: number) => ({
    topic: `t-${randomBytes(6).toString('hex')}`,
    partitions,
    replicationFactor: -1,
  })

  it('creates it with the broker’s clock, and finds nothing to do the second time', async () => {
    await withCluster({}, async (cluster) => {
      const wanted = wantedOf(4)
      const first = await prepareTopic(cluster, wanted)
      expect(first.metadata.partitions).toHaveLength(4)
      expect(first.done).toEqual([`created the topic '${wanted.topic}' with 4 partitions`])
      // A topic without LogAppendTime would be remarked on.
      expect(await prepareTopic(cluster, wanted)).toEqual({ metadata: first.metadata, done: [] })
      await deleteTopic(cluster, wanted.topic)
    })
  })

  it('may run several times at once', async () => {
    await withCluster({}, async (cluster) => {
      const wanted = wantedOf(2)
      const all = await Promise.all(Array.from({ length: 5 }, () => prepareTopic(cluster, wanted)))
      expect(new Set(all.map(({ metadata }) => metadata.topicId)).size).toBe(1)
      expect(all.filter(({ done }) => done.length > 0)).toHaveLength(1)
      await deleteTopic(cluster, wanted.topic)
    })
  })

  it('says what it finds different', async () => {
    await using topic = await makeTopic({ partitions: 3, configs: { 'cleanup.policy': 'compact,delete' } })
    const wanted = { topic: topic.name, partitions: 2, replicationFactor: 1 }
    const { metadata, done } = await prepareTopic(topic.cluster, wanted)
    expect(metadata.partitions).toHaveLength(3)
    expect(done).toEqual([
      `the topic '${topic.name}' has 3 partitions (KAFKA_PARTITIONS=2): all are used`,
      expect.stringContaining(`'${topic.name}' has message.timestamp.type=CreateTime: producers' clocks decide`),
      expect.stringContaining(`'${topic.name}' has cleanup.policy=compact,delete: Kafka may delete`),
    ])
    await expect(prepareTopic(topic.cluster, { ...wanted, partitions: 4 })).rejects.toMatchObject({
      code: 'KPI_TOPIC_MISMATCH',
      message: `the topic '${topic.name}' has 3 partitions, KAFKA_PARTITIONS asks for 4: add partitions to the topic, or set KAFKA_PARTITIONS=3`,
    })
  })

  it('tells why it cannot be created', async () => {
    await withCluster({}, async (cluster) => {
      const wanted = { ...wantedOf(1), replicationFactor: 3 }
      await expect(prepareTopic(cluster, wanted)).rejects.toMatchObject({
        code: 'KPI_KAFKA_REQUEST',
        message: expect.stringContaining(`(creating the topic '${wanted.topic}') answered INVALID_REPLICATION_FACTOR`),
      })
    })
  })
})
