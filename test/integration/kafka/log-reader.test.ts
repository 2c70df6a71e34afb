// The reader of verify, on what other producers write: transactions, compression, tombstones.
import { Producer } from '@platformatic/kafka'
import { expect, inject, it, vi } from 'vitest'
import { LogReader, type LogRecord } from '../../../src/kafka/log/log-reader.ts'
import { listOffsets } from '../../../src/kafka/log/offsets.ts'
import { send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { transactionalProducer } from '../scenes/transactions.ts'
import { until } from '../scenes/until.ts'
import { deleteRecords, verifyPipeline } from '../scenes/verification.ts'
import { startWorker } from '../scenes/worker.ts'

async function readAll({ cluster, metadata }: Pipeline, from = 0): Promise<{ records: LogRecord[]; end: number }> {
  const end = (await listOffsets(cluster, metadata, 'stable')).get(0) ?? 0
  const records: LogRecord[] = []
  for await (const chunk of new LogReader(cluster, metadata).read(0, from, end)) records.push(...chunk.records)
  return { records, end }
}

const textOf = ({ value }: LogRecord) => value?.toString() ?? null

it('messages of aborted transactions are not there, and the worker says the same', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { topic } = pipeline.metadata
  const [one, two] = [transactionalProducer(`${topic}-1`), transactionalProducer(`${topic}-2`)]
  const message = (symbol: string) => ({
    topic,
    key: symbol,
    value: `{"symbol":"${symbol}","timestamp":0,"close":1,"volume":1}`,
  })
  // Two transactions at once, of which one is aborted and the other goes on; then one of each alone.
  const [kept, dropped] = [await one.beginTransaction(), await two.beginTransaction()]
  await kept.send({ messages: [message('KEPT1')] })
  await dropped.send({ messages: [message('DROPPED1'), message('DROPPED2')] })
  await kept.send({ messages: [message('KEPT2')] })
  await dropped.abort()
  await kept.send({ messages: [message('KEPT3')] })
  await kept.commit()
  const again = await two.beginTransaction()
  await again.send({ messages: [message('KEPT4')], compression: 'gzip' })
  await again.commit()
  const last = await one.beginTransaction()
  await last.send({ messages: [message('DROPPED3')] })
  await last.abort()
  await Promise.all([one.close(), two.close()])

  // The broker answers the end of a transaction before its markers stand in the log.
  const { records } = await until(
    'all markers written',
    () => readAll(pipeline),
    ({ end }) => end === 11,
  )
  expect(records.map((record) => JSON.parse(textOf(record) ?? '').symbol)).toEqual(['KEPT1', 'KEPT2', 'KEPT3', 'KEPT4'])

  const worker = await startWorker(pipeline)
  await until(
    'the log read',
    () => worker.worker.figures.merged,
    (merged) => merged === 4,
  )
  await worker.stop()
  const [position] = await pipeline.owner.query({
    text: 'SELECT next_offset, merged, without_message FROM kpi_consumer_offsets',
  })
  expect(position).toEqual({ next_offset: 11, merged: 4, without_message: 7 })
  expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, messages: 4, rows: 4 })
})

it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'messages in batches of compression %s are read, tombstones too',
  async (compression) => {
    await using pipeline = await makePipeline({ partitions: 1 })
    const { topic } = pipeline.metadata
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [inject('bootstrap')] })
    const values = Array.from({ length: 200 }, (_, i) => Buffer.from(`value ${i} ${'x'.repeat(i)}`))
    const beforeMs = Date.now()
    await producer.send({ messages: values.map((value) => ({ topic, key: Buffer.from('k'), value })), compression })
    await producer.close()
    await send(pipeline.cluster, topic, [{ symbol: 'A', value: '' }])
    const { records } = await readAll(pipeline)
    expect(records.map(textOf)).toEqual([...values.map(String), null])
    expect(records.map(({ offset }) => offset)).toEqual([...Array(201).keys()])
    for (const { timestampMs } of records) {
      expect(timestampMs).toBeGreaterThanOrEqual(beforeMs - 1000)
      expect(timestampMs).toBeLessThanOrEqual(Date.now() + 1000)
    }
  },
)

it('a range begins and ends within batches; what was deleted makes the next one begin later', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { cluster, metadata } = pipeline
  const values = Array.from({ length: 100 }, (_, i) => ({ symbol: 'A', value: `${i}` }))
  await send(cluster, metadata.topic, values)
  const reader = new LogReader(cluster, metadata)
  const read = async (from: number, end: number) => {
    const chunks = []
    for await (const chunk of reader.read(0, from, end)) chunks.push(chunk)
    return { from: chunks[0]?.from, next: chunks.at(-1)?.next, texts: chunks.flatMap((c) => c.records.map(textOf)) }
  }
  expect(await read(30, 33)).toEqual({ from: 30, next: 33, texts: ['30', '31', '32'] })
  expect(await read(98, 200)).toEqual({ from: 98, next: 100, texts: ['98', '99'] })
  expect(await read(100, 200)).toEqual({ from: undefined, next: undefined, texts: [] })
  expect(await read(5, 5)).toEqual({ from: undefined, next: undefined, texts: [] })
  expect(await read(500, 600)).toEqual({ from: undefined, next: undefined, texts: [] })
  await deleteRecords(pipeline, 0, 97)
  expect(await read(0, 99)).toEqual({ from: 97, next: 99, texts: ['97', '98'] })
  expect(await read(0, 90)).toEqual({ from: undefined, next: undefined, texts: [] })
})

it('the broker is asked for nothing where there is nothing to read', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { cluster, metadata } = pipeline
  const request = vi.spyOn(cluster, 'request')
  for (const at of [0, 5]) {
    for await (const chunk of new LogReader(cluster, metadata).read(0, at, at)) expect(chunk).toBeUndefined()
  }
  expect(request).not.toHaveBeenCalled()
})
