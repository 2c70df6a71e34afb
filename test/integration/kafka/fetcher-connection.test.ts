// Reading while connections break, answers are late or spoilt.
import { expect, inject, it } from 'vitest'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { RecordingLog } from '../../recording-log.ts'
import { FetchRecorder, places } from '../scenes/fetch-recorder.ts'
import { makeTopic, type TestTopic, valuesFor } from '../scenes/kafka-topic.ts'
import { send } from '../scenes/market.ts'
import { until } from '../scenes/until.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`)

/** The same topic, reached by another way; to be closed. */
async function through(proxy: TcpProxy, topic: TestTopic): Promise<TestTopic> {
  const cluster = new KafkaCluster({
    bootstrap: [proxy.address],
    clientId: topic.name,
    connectTimeoutMs: 1000,
    requestTimeoutMs: 2000,
  })
  const metadata = await cluster.topicMetadata(topic.name)
  return { name: topic.name, cluster, metadata, [Symbol.asyncDispose]: () => cluster.close() }
}

it.each(places)('connections that break again and again cost nothing but time ($place)', async ({ inThread }) => {
  await using topic = await makeTopic({ partitions: 3 })
  const values = numbered(30_000).map((text) => text.padEnd(100, '.'))
  await send(
    topic.cluster,
    topic.name,
    [0, 1, 2].flatMap((p) => valuesFor(p, 3, values)),
  )
  await using proxy = await TcpProxy.startKafka(inject('bootstrap'))
  await using proxied = await through(proxy, topic)
  await using recorder = new FetchRecorder(proxied, { inThread, partitionMaxBytes: 50_000 })
  proxy.delayMs = 2
  for (const partition of [0, 1, 2]) recorder.seek(partition, 0)
  for (let cuts = 0; cuts < 8; cuts++) {
    const count = recorder.messageCount
    await until(
      'progress',
      () => recorder.messageCount,
      (found) => found > count,
    )
    proxy.cut()
  }
  await recorder.untilCount(90_000)
  for (const partition of [0, 1, 2]) expect(recorder.values(partition)).toEqual(values)
  expect(proxy.connections).toBeGreaterThan(8)
})

it.each(places)(
  'a broker that takes connections and answers nothing is left, told once, and read again ($place)',
  async ({ inThread }) => {
    await using topic = await makeTopic()
    await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(10)))
    await using proxy = await TcpProxy.startKafka(inject('bootstrap'))
    await using proxied = await through(proxy, topic)
    const log = new RecordingLog()
    await using recorder = new FetchRecorder(proxied, { inThread, log })
    recorder.seek(0, 0)
    await recorder.untilCount(10)
    proxy.isSilent = true
    await until(
      'a warning',
      () => log.lines,
      (lines) => lines.length > 0,
    )
    await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(10, 10)))
    proxy.isSilent = false
    proxy.cut()
    await recorder.untilCount(20)
    await until(
      'the end of it',
      () => log.lines,
      (lines) => lines.length > 1,
    )
    expect(recorder.values(0)).toEqual(numbered(20))
    expect(log.lines).toEqual([
      expect.stringMatching(
        /^warn: partition 0 is not read for now: .*does not answer: .*; trying again until it works$/,
      ),
      'info: partition 0 is read again',
    ])
  },
)

it('a slow way is no failure', async () => {
  await using topic = await makeTopic({ partitions: 2 })
  await using proxy = await TcpProxy.startKafka(inject('bootstrap'))
  proxy.delayMs = 100
  await using proxied = await through(proxy, topic)
  const log = new RecordingLog()
  await using recorder = new FetchRecorder(proxied, { log })
  for (const partition of [0, 1]) recorder.seek(partition, 0)
  for (let i = 0; i < 10; i++) await send(topic.cluster, topic.name, valuesFor(i % 2, 2, numbered(10, i)))
  await recorder.untilCount(100)
  expect(log.lines).toEqual([])
})

it.each(places)('a flipped bit on the way ends the reading ($place)', async ({ inThread }) => {
  await using topic = await makeTopic()
  await send(
    topic.cluster,
    topic.name,
    valuesFor(
      0,
      1,
      numbered(100).map((text) => text.padEnd(50, '.')),
    ),
  )
  await using proxy = await TcpProxy.startKafka(inject('bootstrap'))
  await using proxied = await through(proxy, topic)
  proxy.spoil = (chunk) => {
    const at = chunk.indexOf('m50....')
    if (at >= 0) chunk[at] = (chunk[at] ?? 0) ^ 1
  }
  await using recorder = new FetchRecorder(proxied, { inThread })
  recorder.expectedFatalErrors = [expect.stringContaining('a wrong checksum at offset 0')]
  recorder.seek(0, 0)
  await until(
    'an end',
    () => recorder.fatalErrors.length,
    (count) => count > 0,
  )
  expect(recorder.fatalErrors[0]).toMatchObject({ code: 'KPI_KAFKA_CORRUPT' })
  expect(recorder.messageCount).toBe(0)
})

it('an answer without a whole batch is no reason to ask again at once', async () => {
  await using topic = await makeTopic()
  await send(topic.cluster, topic.name, valuesFor(0, 1, ['the only message']))
  await using proxy = await TcpProxy.startKafka(inject('bootstrap'))
  await using proxied = await through(proxy, topic)
  let spoilt = 0
  proxy.spoil = (chunk) => {
    const start = batchStart(chunk, 'the only message')
    if (start === undefined) return
    // As if the rest of the batch were still to come.
    chunk.writeInt32BE(chunk.readInt32BE(start + 8) + 1000, start + 8)
    spoilt += 1
  }
  const log = new RecordingLog()
  await using recorder = new FetchRecorder(proxied, { log, gatherMs: 1 })
  recorder.seek(0, 0)
  const startedAt = performance.now()
  await until(
    'a warning',
    () => log.lines,
    (lines) => lines.length > 0,
  )
  expect(log.lines).toEqual([expect.stringContaining('an answer without a whole record batch')])
  await until(
    'several answers',
    () => spoilt,
    (count) => count >= 5,
  )
  // Each wait is longer than the one before, and at least half of 100 ms, 200 ms, 400 ms, 800 ms.
  expect(performance.now() - startedAt).toBeGreaterThan(750)
  expect(recorder.messageCount).toBe(0)
  proxy.spoil = () => undefined
  await recorder.untilCount(1)
})

/** Where the batch begins that has this text in its only record. */
function batchStart(chunk: Buffer, text: string): number | undefined {
  const at = chunk.indexOf(text)
  const headerBytes = 61
  const magicAt = 16
  // Between header and value stand six numbers and a short key.
  for (let start = at - headerBytes - 12; at >= 0 && start < at - headerBytes; start++) {
    const isWhole = start >= 0 && start + 12 + chunk.readInt32BE(start + 8) === at + text.length + 1
    if (isWhole && chunk[start + magicAt] === 2) return start
  }
  return undefined
}
