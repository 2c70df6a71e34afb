// What happens to a producer, and to a feed, whose broker is killed: with a broker of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type KafkaServer, startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { killAllChildren } from '../../../src/process/child.ts'
import { makeTopic } from '../scenes/kafka-topic.ts'
import { silentLog } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { expectContent, numbered, WatchedProducer } from '../scenes/producing.ts'
import { contentOf, countOf } from '../scenes/topic-content.ts'
import { until } from '../scenes/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'market-kpi-outage-'))
const place = { dataDir: folder, logsDir: join(folder, 'logs'), log: silentLog }
let kafka: KafkaServer

/** As after a power cut: no word of farewell. */
async function killBroker(): Promise<void> {
  kafka.kill()
  await kafka.exited
}

async function restartBroker(): Promise<void> {
  kafka = await startKafka({ ...place, port: kafka.port })
}

beforeAll(async () => {
  process.once('exit', killAllChildren)
  kafka = await startKafka(place)
})

afterAll(async () => {
  await kafka.stop(8000)
  rmSync(folder, { recursive: true, force: true })
})

it('a producer loses, repeats and reorders nothing when its broker is killed and comes back', async () => {
  await using topic = await makeTopic({ partitions: 3, bootstrap: kafka.bootstrap })
  const watched = new WatchedProducer({ cluster: topic.cluster, topic: topic.name, maxBatchBytes: 8192 })
  await watched.producer.start()
  let sent = 0
  for (let round = 0; round < 2; round++) {
    const written = watched.producer.figures.messages
    const flowing = watched.append(numbered(60_000, sent))
    sent += 60_000
    await until(
      'messages under way',
      () => watched.producer,
      ({ figures, waitingCount }) => figures.messages > written + 5000 && waitingCount > 1000,
    )
    await killBroker()
    await until(
      'a producer that has noticed',
      () => watched.producer.isUnavailable,
      (isUnavailable) => isUnavailable,
    )
    await restartBroker()
    await flowing
  }
  expect(await watched.flush()).toBe(0)
  expect(watched.failure).toBeUndefined()
  expect(watched.producer.figures.retries).toBeGreaterThan(0)
  expect(watched.producer.figures.messages).toBe(sent)
  await expectContent(topic.cluster, topic.name, numbered(sent))
  watched.producer.stop()
})

it('a replay goes on after its broker was killed, every line once', async () => {
  await using topic = await makeTopic({ partitions: 3, bootstrap: kafka.bootstrap })
  const path = join(folder, 'prices.csv')
  const lines = Array.from({ length: 200_000 }, (_, i) => `S${i % 23},${1_771_079_400_000 + i},${i}.5\n`)
  writeFileSync(path, `symbol,time,price\n${lines.join('')}`)
  const env = { KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap, KAFKA_TOPIC: topic.name }
  const feed = marketKpi(['feed', `replay:${path}`, '--speed', '30'], env)
  await until(
    'lines in the topic',
    () => countOf(topic.cluster, topic.name),
    (count) => count > 10_000,
  )
  await killBroker()
  await until('a feed that has noticed', feed.stderr, (text) => text.includes('sending is paused'))
  await restartBroker()
  expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
  expect(feed.stderr()).toMatch(/Kafka takes messages again, after \d+\.\d s/)
  const content = await contentOf(topic.cluster, topic.name)
  const found = content.flatMap((records) => records.map(({ headers }) => Number(headers.line?.split('@')[0])))
  expect(found).toHaveLength(200_000)
  expect(new Set(found).size).toBe(200_000)
  for (const records of content) {
    const order = records.map(({ headers }) => Number(headers.line?.split('@')[0]))
    expect(order.every((line, i) => i === 0 || line > (order[i - 1] ?? 0))).toBe(true)
  }
})

it('a feed that has to stop while its broker is away does so in time, and says what it could not send', async () => {
  await using topic = await makeTopic({ bootstrap: kafka.bootstrap })
  const env = { KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap, KAFKA_TOPIC: topic.name }
  const feed = marketKpi(['feed', '--rate', '2000'], env)
  await until(
    'prices in the topic',
    () => countOf(topic.cluster, topic.name),
    (count) => count > 1000,
  )
  await killBroker()
  await until('a feed that has noticed', feed.stderr, (text) => text.includes('sending is paused'))
  const began = performance.now()
  feed.child.kill('SIGTERM')
  expect(await feed.exited).toEqual({ code: 1, signal: null })
  expect(performance.now() - began).toBeLessThan(6000)
  expect(feed.stderr()).toMatch(/\d+ messages were not acknowledged before the feed had to stop/)
})
