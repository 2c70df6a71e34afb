import { describe, expect, inject, it } from 'vitest'
import { Random } from '../../../src/feed/simulate/random.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { compressions } from '../../../src/kafka/records/record-batch-writer.ts'
import { makeTopic } from '../scenes/kafka-topic.ts'
import { DetouredCluster, expectContent, numbered, WatchedProducer } from '../scenes/producing.ts'
import { countOf } from '../scenes/topic-content.ts'
import { until } from '../scenes/until.ts'
import { CuttingProxy, type Fate } from '../servers/cutting-proxy.ts'

function targetOf(bootstrap: string): { host: string; port: number } {
  return { host: '127.0.0.1', port: Number(bootstrap.split(':')[1]) }
}

const untouched: Fate = { bytesUp: Number.POSITIVE_INFINITY, bytesDown: Number.POSITIVE_INFINITY }

describe('a producer', () => {
  it.each(compressions)('writes each message once, in order, to the partition of its key: %s', async (compression) => {
    await using topic = await makeTopic({ partitions: 5 })
    const watched = new WatchedProducer({
      cluster: topic.cluster,
      topic: topic.name,
      compression,
      maxBatchBytes: 16_384,
    })
    await watched.producer.start()
    const messages = numbered(5000)
    await watched.append(messages)
    expect(await watched.flush()).toBe(0)
    const { messages: count, bytes, batches } = watched.producer.figures
    expect(count).toBe(5000)
    expect(batches).toBeGreaterThan(20)
    expect(bytes).toBeGreaterThan(10_000)
    watched.producer.stop()
    await expectContent(topic.cluster, topic.name, messages)
  })

  it('sends few messages without being asked to', async () => {
    await using topic = await makeTopic()
    const watched = new WatchedProducer({ cluster: topic.cluster, topic: topic.name })
    await watched.producer.start()
    await watched.append(numbered(3))
    await until(
      '3 messages',
      () => watched.producer.figures.messages,
      (found) => found === 3,
    )
    watched.producer.stop()
  })

  it('writes in order over connections that are cut at random, and repeats nothing', async () => {
    await using topic = await makeTopic({ partitions: 3 })
    const random = new Random('cuts')
    // Cut in the middle of a request, or behind it with its answer, or its answer cut too.
    const fateOf = (): Fate => ({
      bytesUp: random.below(400_000),
      bytesDown: random.uniform() < 0.4 ? random.below(400) : Number.POSITIVE_INFINITY,
    })
    const proxy = new CuttingProxy(targetOf(inject('bootstrap')), fateOf)
    await proxy.start()
    const cluster = new DetouredCluster({ bootstrap: [inject('bootstrap')], clientId: topic.name })
    cluster.port = proxy.port
    const watched = new WatchedProducer({ cluster, topic: topic.name, maxBatchBytes: 16_384, random: () => 0 })
    try {
      await watched.producer.start()
      const messages = numbered(15_000)
      await watched.append(messages)
      const left = await watched.flush()
      expect(watched.failure).toBeUndefined()
      expect(left).toBe(0)
      expect(proxy.cuts).toBeGreaterThan(10)
      expect(watched.producer.figures.retries).toBeGreaterThan(10)
      expect(watched.producer.figures.messages).toBe(15_000)
      await expectContent(topic.cluster, topic.name, messages)
    } finally {
      watched.producer.stop()
      await cluster.close()
      await proxy.stop()
    }
  })

  it('takes no more in than it may keep, while nothing is acknowledged', async () => {
    await using topic = await makeTopic()
    const cluster = new DetouredCluster({ bootstrap: [inject('bootstrap')], clientId: topic.name })
    // A port that refuses.
    cluster.port = 1
    const maxBufferedBytes = 512 * 1024
    const watched = new WatchedProducer({ cluster, topic: topic.name, maxBufferedBytes, maxBatchBytes: 32_768 })
    const proxy = new CuttingProxy(targetOf(inject('bootstrap')), () => untouched)
    await proxy.start()
    try {
      await watched.producer.start()
      const messages = numbered(20_000, 0, 200)
      const appending = watched.append(messages)
      await until(
        'a full buffer',
        () => watched.producer,
        ({ waitingCount, isUnavailable }) => isUnavailable && waitingCount * 200 > maxBufferedBytes * 0.8,
      )
      expect(watched.producer.waitingCount * 200).toBeLessThan(maxBufferedBytes * 1.2)
      cluster.port = proxy.port
      await appending
      expect(await watched.flush()).toBe(0)
      expect(watched.producer.isUnavailable).toBe(false)
      await expectContent(topic.cluster, topic.name, messages)
    } finally {
      watched.producer.stop()
      await cluster.close()
      await proxy.stop()
    }
  })

  it('makes its batches small enough for the topic', async () => {
    await using topic = await makeTopic({ partitions: 2, configs: { 'max.message.bytes': '10000' } })
    const watched = new WatchedProducer({ cluster: topic.cluster, topic: topic.name })
    await watched.producer.start()
    const messages = numbered(3000)
    await watched.append(messages)
    expect(await watched.flush()).toBe(0)
    await expectContent(topic.cluster, topic.name, messages)
    watched.producer.stop()
  })

  it('gives up at a single message that is too large for the topic', async () => {
    await using topic = await makeTopic({ configs: { 'max.message.bytes': '10000' } })
    const watched = new WatchedProducer({ cluster: topic.cluster, topic: topic.name })
    await watched.producer.start()
    await watched.append([...numbered(2), ...numbered(1, 2, 20_000)])
    await watched.flush()
    expect(watched.failure).toMatchObject({ code: 'KPI_KAFKA_REQUEST', retryable: true })
    expect(watched.failure?.message).toMatch(/a message of \d+ bytes is more than .* max\.message\.bytes/)
    await expect(watched.append(numbered(1))).rejects.toBe(watched.failure)
    expect(await countOf(topic.cluster, topic.name)).toBe(2)
    watched.producer.stop()
  })

  it('says at the start that there is no such topic, or no broker', async () => {
    const cluster = new KafkaCluster({ bootstrap: [inject('bootstrap')], clientId: 'test' })
    const nowhere = new KafkaCluster({ bootstrap: ['127.0.0.1:1'], clientId: 'test' })
    try {
      const missing = new WatchedProducer({ cluster, topic: 'no-such-topic' })
      await expect(missing.producer.start()).rejects.toMatchObject({ code: 'KPI_TOPIC_MISSING' })
      const unreachable = new WatchedProducer({ cluster: nowhere, topic: 'any' })
      await expect(unreachable.producer.start()).rejects.toMatchObject({ code: 'KPI_KAFKA_UNREACHABLE' })
    } finally {
      await cluster.close()
      await nowhere.close()
    }
  })
})
