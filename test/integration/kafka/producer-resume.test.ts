import { expect, it } from 'vitest'
import { findLastRecords } from '../../../src/kafka/log/last-record.ts'
import type { ProducerTraces } from '../../../src/kafka/produce/producer-start.ts'
import { readHeaders } from '../../../src/kafka/records/message-headers.ts'
import { makeTopic, type TestTopic } from '../scenes/kafka-topic.ts'
import { expectContent, numbered, WatchedProducer } from '../scenes/producing.ts'
import { contentOf } from '../scenes/topic-content.ts'

const { signal } = new AbortController()

/** What the last of our records in each partition were written under. */
async function tracesOf({ cluster, metadata }: TestTopic): Promise<ProducerTraces> {
  const match = (buffer: Buffer, valueEnd: number) => readHeaders(buffer, valueEnd).get('n')
  const found = await findLastRecords({ cluster, metadata, match }, signal)
  return new Map(found.flatMap(({ partition, producer }) => (producer ? [[partition, producer]] : [])))
}

async function produce(
  topic: TestTopic,
  from: number,
  count: number,
  continues?: ProducerTraces,
): Promise<WatchedProducer> {
  const watched = new WatchedProducer({
    cluster: topic.cluster,
    topic: topic.name,
    ...(continues ? { continues } : {}),
  })
  await watched.producer.start()
  await watched.append(numbered(count, from))
  await watched.flush()
  watched.producer.stop()
  return watched
}

it('a producer goes on under the identity and the numbers of the one before', async () => {
  await using topic = await makeTopic({ partitions: 3 })
  await produce(topic, 0, 1000)
  const second = await produce(topic, 1000, 500, await tracesOf(topic))
  expect(second.failure).toBeUndefined()
  await expectContent(topic.cluster, topic.name, numbered(1500))
  for (const records of await contentOf(topic.cluster, topic.name)) {
    expect(new Set(records.map(({ producer }) => `${producer?.producerId}/${producer?.epoch}`)).size).toBe(1)
    expect(records.map(({ producer }) => producer?.sequence)).toEqual(records.map((_, i) => i))
  }
})

it('what the one before still had under way is not written behind it', async () => {
  await using topic = await makeTopic({ partitions: 3 })
  await produce(topic, 0, 100)
  const traces = await tracesOf(topic)
  await produce(topic, 100, 100, traces)
  // As if it came from a process that was killed before the second began: other batches for the same numbers.
  const straggler = await produce(topic, 100, 60, traces)
  expect(straggler.failure).toMatchObject({ code: 'KPI_KAFKA_FENCED' })
  expect(straggler.failure?.message).toMatch(/got messages of an earlier feed.*start this one again$/)
  await expectContent(topic.cluster, topic.name, numbered(200))
})

it('a straggler that came first is not written again', async () => {
  await using topic = await makeTopic({ partitions: 1 })
  await produce(topic, 0, 100)
  const traces = await tracesOf(topic)
  await produce(topic, 100, 50, traces)
  // The same batch, byte by byte: the broker knows it, and takes what follows.
  const second = await produce(topic, 100, 50, traces)
  expect(second.failure).toBeUndefined()
  await expectContent(topic.cluster, topic.name, numbered(150))
})

it('a partition that held nothing of the one before begins at its first number', async () => {
  await using topic = await makeTopic({ partitions: 40 })
  await produce(topic, 0, 3)
  const traces = await tracesOf(topic)
  expect(traces.size).toBeLessThan(4)
  await produce(topic, 3, 200, traces)
  await expectContent(topic.cluster, topic.name, numbered(203))
  const straggler = await produce(topic, 3, 100, traces)
  expect(straggler.failure?.code).toBe('KPI_KAFKA_FENCED')
  await expectContent(topic.cluster, topic.name, numbered(203))
})

it('a broker that has forgotten the one before takes what comes', async () => {
  await using topic = await makeTopic({ partitions: 2 })
  const trace = { producerId: 987_654_321n, epoch: 4, sequence: 500 }
  const second = await produce(topic, 0, 100, new Map([0, 1].map((partition) => [partition, trace])))
  expect(second.failure).toBeUndefined()
  await expectContent(topic.cluster, topic.name, numbered(100))
  const [[first] = []] = await contentOf(topic.cluster, topic.name)
  expect(first?.producer).toEqual({ ...trace, sequence: 501 })
})
