// A file replayed into a topic, killed and started again.
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, inject, it } from 'vitest'
import { createPartitionsV3 } from '#kafka-protocol'
import { Random } from '../../../src/feed/simulate/random.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { makeTopic, type TestTopic } from '../scenes/kafka-topic.ts'
import { marketKpi, type Run } from '../scenes/processes.ts'
import { numbered, WatchedProducer } from '../scenes/producing.ts'
import { contentOf, countOf, type StoredRecord } from '../scenes/topic-content.ts'
import { openTransaction } from '../scenes/transactions.ts'
import { until } from '../scenes/until.ts'

const header = 'symbol,timestamp,close,volume\n'
const startMs = Date.UTC(2026, 1, 14, 14, 30)

function messageOf(n: number): string {
  const time = new Date(startMs + n).toISOString()
  return `{"symbol":"S${n % 29}","timestamp":"${time}","close":${n}.50,"volume":${n % 7}}`
}

/** Lines a millisecond apart, numbered from one on. */
function csvOf(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i
    return `S${n % 29},${new Date(startMs + n).toISOString()},${n}.50,${n % 7}\n`
  }).join('')
}

function replay({ name }: TestTopic, path: string, ...options: string[]): Run {
  const env = { KAFKA_BOOTSTRAP_SERVERS: inject('bootstrap'), DATABASE_URL: '' }
  return marketKpi(['feed', `replay:${path}`, '--topic', name, ...options], env)
}

async function replayWhole(topic: TestTopic, path: string, ...options: string[]): Promise<Run> {
  const feed = replay(topic, path, ...options)
  expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
  return feed
}

/** Kills a replay once the topic holds so many records. */
async function killAt(topic: TestTopic, count: number, path: string, ...options: string[]): Promise<void> {
  const feed = replay(topic, path, ...options)
  await until(
    `${count} lines in the topic`,
    () => countOf(topic.cluster, topic.name),
    (found) => found >= count,
  )
  feed.child.kill('SIGKILL')
  expect((await feed.exited).signal, 'the file was at its end too early').toBe('SIGKILL')
}

function ofFile(content: readonly StoredRecord[][]): StoredRecord[][] {
  return content.map((records) => records.filter(({ headers }) => headers.line !== undefined))
}

/** Each line so often, in the order of the file within each partition and pass. */
function expectLines(content: readonly StoredRecord[][], count: number, passes = 1): void {
  const records = ofFile(content).flat()
  const values = records.map(({ value }) => value).sort()
  const expected = Array.from({ length: count }, (_, n) => Array<string>(passes).fill(messageOf(n))).flat()
  expect(values).toEqual(expected.sort())
  for (const partition of ofFile(content)) {
    for (const pass of new Set(partition.map(({ headers }) => headers.replay))) {
      const lines = partition.filter(({ headers }) => headers.replay === pass)
      const numbers = lines.map(({ headers }) => Number(headers.line?.split('@')[0]))
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    }
  }
}

it('a replay that is killed again and again sends every line once, among what others send', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 5 })
  const count = 60_000
  const path = join(folder.path, 'prices.csv')
  writeFileSync(path, header + csvOf(count))
  const stranger = new WatchedProducer({ cluster: topic.cluster, topic: topic.name })
  await stranger.producer.start()
  const random = new Random('kills')
  let strange = 0
  for (let kills = 0; kills < 3; kills++) {
    const there = await countOf(topic.cluster, topic.name)
    await killAt(topic, there + 1000 + random.below(5000), path, '--speed', '10')
    await stranger.append(numbered(3000, strange))
    expect(await stranger.flush()).toBe(0)
    strange += 3000
  }
  await replayWhole(topic, path)
  const content = await contentOf(topic.cluster, topic.name)
  expectLines(content, count)
  expect(content.flat()).toHaveLength(count + strange)
  stranger.producer.stop()
})

it('a replay sends no line twice while a transaction of another application is open', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 2 })
  const path = join(folder.path, 'prices.csv')
  writeFileSync(path, header + csvOf(400))
  {
    await using open = await openTransaction(topic.name, 0, ['not decided'])
    await replayWhole(topic, path)
    const again = await replayWhole(topic, path)
    expect(again.stderr()).toMatch(/sent 0 messages/)
    await open.commit()
  }
  const content = await contentOf(topic.cluster, topic.name)
  expectLines(content, 400)
  expect(content.flat()).toHaveLength(401)
})

it('a packed file goes on too, whatever it is called, and what was appended comes behind', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 3 })
  const packed = join(folder.path, 'prices.txt')
  writeFileSync(packed, gzipSync(header + csvOf(20_000)))
  await killAt(topic, 2000, packed, '--speed', '5')
  const plain = join(folder.path, 'unpacked.csv')
  writeFileSync(plain, header + csvOf(20_000))
  await replayWhole(topic, plain)
  expectLines(await contentOf(topic.cluster, topic.name), 20_000)
  appendFileSync(plain, csvOf(500, 20_000))
  const again = await replayWhole(topic, plain)
  expect(again.stderr()).toMatch(/sent 500 messages/)
  expectLines(await contentOf(topic.cluster, topic.name), 20_500)
  const nothing = await replayWhole(topic, plain)
  expect(nothing.stderr()).toMatch(/nothing of .* is new to the topic/)
})

it('a pass from the start repeats every line, and goes on as itself when it is killed', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 3 })
  const path = join(folder.path, 'prices.csv')
  writeFileSync(path, header + csvOf(20_000))
  await replayWhole(topic, path)
  await killAt(topic, 22_000, path, '--from-start', '--speed', '5')
  await replayWhole(topic, path)
  expectLines(await contentOf(topic.cluster, topic.name), 20_000, 2)
})

it('JSON lines that are messages pass as they stand, and go on', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 3 })
  const path = join(folder.path, 'prices.ndjson')
  writeFileSync(path, Array.from({ length: 20_000 }, (_, n) => `${messageOf(n)}\n`).join(''))
  await killAt(topic, 1000, path, '--speed', '5')
  await replayWhole(topic, path)
  expectLines(await contentOf(topic.cluster, topic.name), 20_000)
})

it('another file is not taken for one that was sent', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 3 })
  const path = join(folder.path, 'prices.csv')
  writeFileSync(path, header + csvOf(100))
  await replayWhole(topic, path)
  writeFileSync(path, header + csvOf(300, 50))
  await replayWhole(topic, path)
  expect(await countOf(topic.cluster, topic.name)).toBe(400)
})

it('a topic that has got more partitions since is told, and nothing is sent', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 2 })
  const path = join(folder.path, 'prices.csv')
  writeFileSync(path, header + csvOf(100))
  await replayWhole(topic, path)
  const wanted = [{ name: topic.name, count: 4, assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] }]
  await topic.cluster.request('any', 'control', createPartitionsV3.api, wanted, 15_000, false)
  await until(
    'a topic with 4 partitions',
    async () => (await topic.cluster.topicMetadata(topic.name)).partitions.filter(({ leaderId }) => leaderId >= 0),
    (partitions) => partitions.length === 4,
  )
  appendFileSync(path, csvOf(5, 100))
  const feed = replay(topic, path)
  expect(await feed.exited).toEqual({ code: 1, signal: null })
  expect(feed.stderr()).toMatch(
    /^[^\n]*prices\.csv was sent when '[^']*' had 2 partitions, it has 4 now[^\n]*--from-start[^\n]*\n$/,
  )
  await replayWhole(topic, path, '--from-start')
  expect(await countOf(topic.cluster, topic.name)).toBe(205)
})

it('bad lines are told and skipped, and do not end the replay', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic()
  const path = join(folder.path, 'prices.csv')
  writeFileSync(path, `${header}${csvOf(10)}no price\n${csvOf(10, 10)},,,\n`)
  const feed = await replayWhole(topic, path)
  expectLines(await contentOf(topic.cluster, topic.name), 20)
  expect(feed.stderr()).toMatch(/line 12 is skipped: 1 columns, the header has 4/)
  expect(feed.stderr()).toMatch(/line 23 is skipped: no symbol/)
  expect(feed.stderr()).toMatch(/2 lines of .* were skipped/)
  expect(feed.stderr()).toMatch(/sent 20 messages .* 2 rejected/)
})

it('what comes before the place where a file breaks off is sent', async () => {
  using folder = temporaryFolder()
  await using topic = await makeTopic({ partitions: 3 })
  const path = join(folder.path, 'prices.csv.gz')
  const packed = gzipSync(header + csvOf(50_000))
  writeFileSync(path, packed.subarray(0, packed.length / 2))
  const broken = replay(topic, path)
  expect(await broken.exited).toEqual({ code: 1, signal: null })
  expect(broken.stderr()).toMatch(/prices\.csv\.gz cannot be read beyond byte \d+: it is cut off\n$/)
  expect(await countOf(topic.cluster, topic.name)).toBeGreaterThan(10_000)
  writeFileSync(path, packed)
  await replayWhole(topic, path)
  expectLines(await contentOf(topic.cluster, topic.name), 50_000)
})
