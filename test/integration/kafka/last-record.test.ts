import { describe, expect, it } from 'vitest'
import { retry } from '../../../src/kafka/client/retry.ts'
import { type FoundRecord, findLastRecords } from '../../../src/kafka/log/last-record.ts'
import { readHeaders } from '../../../src/kafka/records/message-headers.ts'
import { compressions } from '../../../src/kafka/records/record-batch-writer.ts'
import { batchOf, type PlainMessage } from '../../unit/kafka/records/batches.ts'
import { deleteRecords, makeTopic, type TestTopic } from '../scenes/kafka-topic.ts'
import { numbered, WatchedProducer } from '../scenes/producing.ts'
import { openTransaction } from '../scenes/transactions.ts'

const { signal } = new AbortController()
const match = (buffer: Buffer, valueEnd: number) => readHeaders(buffer, valueEnd).get('n')

async function produce(
  { cluster, name }: TestTopic,
  messages: readonly PlainMessage[],
  compression: (typeof compressions)[number] = 'none',
): Promise<void> {
  const watched = new WatchedProducer({ cluster, topic: name, compression })
  await watched.producer.start()
  for (let at = 0; at < messages.length; at += 5000) {
    await watched.producer.append(batchOf(messages.slice(at, at + 5000)), Date.now(), signal)
  }
  expect(await watched.flush()).toBe(0)
  watched.producer.stop()
}

function find(
  { cluster, metadata }: TestTopic,
  progress: (bytes: number) => void = () => undefined,
): Promise<FoundRecord<string>[]> {
  return retry(() => findLastRecords({ cluster, metadata, match, progress }, signal), signal)
}

function strangers(count: number): PlainMessage[] {
  return Array.from({ length: count }, (_, i) => ({ key: `S${i % 17}`, value: `{"other":${i}}` }))
}

describe('the last record of a kind', () => {
  it('is found behind and between those of others, however many', async () => {
    await using topic = await makeTopic({ partitions: 1 })
    await produce(topic, numbered(5))
    await produce(topic, strangers(10))
    await produce(topic, numbered(3, 5))
    await produce(topic, strangers(60_000))
    const bytes: number[] = []
    const [found] = await find(topic, (read) => bytes.push(read))
    expect(found).toMatchObject({ partition: 0, offset: 17, match: '7', producer: { sequence: 2 } })
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b))
    expect(bytes.at(-1)).toBeGreaterThan(1_000_000)
  })

  it('is each partition’s own', async () => {
    await using topic = await makeTopic({ partitions: 7 })
    await produce(topic, [...numbered(100), ...strangers(300)])
    const found = await find(topic)
    expect(found.map(({ partition }) => partition)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].filter((p) => found.some((f) => f.partition === p)),
    )
    expect(Math.max(...found.map((record) => Number(record.match)))).toBe(99)
  })

  it.each(compressions)('is found in batches with %s', async (compression) => {
    await using topic = await makeTopic()
    await produce(topic, [...numbered(2000), ...strangers(2000)], compression)
    const [found] = await find(topic)
    expect(found).toMatchObject({ match: '1999', offset: 1999, producer: { sequence: 1999 } })
  })

  it('is none in an empty log, in one without such a record, and in one that lost it', async () => {
    await using topic = await makeTopic()
    expect(await find(topic)).toEqual([])
    await produce(topic, strangers(5000))
    expect(await find(topic)).toEqual([])
    await produce(topic, numbered(10))
    await produce(topic, strangers(10))
    await deleteRecords(topic, 0, 5010)
    expect(await find(topic)).toEqual([])
  })

  it('is found behind a transaction of another application that is still open', async () => {
    await using topic = await makeTopic()
    await produce(topic, numbered(5))
    await using _open = await openTransaction(topic.name, 0, ['not decided'])
    await produce(topic, numbered(3, 5))
    const [found] = await find(topic)
    expect(found).toMatchObject({ partition: 0, offset: 8, match: '7', producer: { sequence: 2 } })
  })

  it('is looked for until told to stop', async () => {
    await using topic = await makeTopic()
    await produce(topic, strangers(5000))
    const stop = new AbortController()
    const search = findLastRecords({ ...topic, match, progress: () => stop.abort() }, stop.signal)
    await expect(search).rejects.toMatchObject({ name: 'AbortError' })
  })
})
