// Transactions of another client's producer: the committed count, the aborted do not, and nobody waits for the open ones.
import { expect, it } from 'vitest'
import { listOffsets } from '../../../src/kafka/log/offsets.ts'
import { FetchRecorder } from '../scenes/fetch-recorder.ts'
import { makeTopic, type TestTopic, valuesFor } from '../scenes/kafka-topic.ts'
import { send } from '../scenes/market.ts'
import { type TransactionalProducer, transactionalProducer } from '../scenes/transactions.ts'
import { until } from '../scenes/until.ts'

type End = 'commit' | 'abort'

async function endOffset({ cluster, metadata }: TestTopic): Promise<number> {
  return (await listOffsets(cluster, metadata, 'stable', [0])).get(0) ?? 0
}

/** The broker writes a transaction's marker after it has answered; only then is the next offset known. */
async function transact(
  producer: TransactionalProducer,
  topic: TestTopic,
  values: readonly string[],
  end: End,
): Promise<void> {
  const before = await endOffset(topic)
  const transaction = await producer.beginTransaction()
  for (const value of values) {
    await transaction.send({ messages: [{ topic: topic.name, partition: 0, key: 'k', value }] })
  }
  await transaction[end]()
  await until(
    'the marker',
    () => endOffset(topic),
    (offset) => offset === before + values.length + 1,
  )
}

it('committed messages are read, aborted ones and markers are counted as offsets without a message', async () => {
  await using topic = await makeTopic({ partitions: 2 })
  const producer = transactionalProducer(topic.name)
  try {
    await transact(producer, topic, ['a0', 'a1', 'a2'], 'commit')
    await transact(producer, topic, ['b0', 'b1'], 'abort')
    await send(topic.cluster, topic.name, valuesFor(0, 2, ['c0']))
    await transact(producer, topic, ['d0'], 'abort')
    await transact(producer, topic, ['e0', 'e1'], 'commit')
  } finally {
    await producer.close()
  }
  // 9 messages and 4 markers; read from each offset on, as a worker may come back to any of them.
  for (let from = 0; from <= 13; from++) {
    await using recorder = new FetchRecorder(topic)
    recorder.seek(0, from)
    await until(
      'the end',
      () => recorder.of(0).next,
      (next) => next === 13,
    )
    const expected = ['a0', 'a1', 'a2', '', '', '', '', 'c0', '', '', 'e0', 'e1', ''].slice(from).filter(Boolean)
    expect(recorder.values(0)).toEqual(expected)
    expect(recorder.of(0).withoutMessage).toBe(13 - from - expected.length)
  }
})

it('an open transaction ends what can be read, and the log ends behind it', async () => {
  await using topic = await makeTopic({ partitions: 2 })
  const producer = transactionalProducer(topic.name)
  try {
    await send(topic.cluster, topic.name, valuesFor(0, 2, ['before']))
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: [{ topic: topic.name, partition: 0, key: 'k', value: 'inside' }] })
    await send(topic.cluster, topic.name, valuesFor(0, 2, ['after']))
    await using recorder = new FetchRecorder(topic)
    recorder.seek(0, 0)
    recorder.seek(1, 0)
    await recorder.untilCount(1)
    expect(recorder.of(0)).toMatchObject({ next: 1, endOffset: 3 })
    const calls = recorder.wantsCalls
    await send(topic.cluster, topic.name, valuesFor(1, 2, ['elsewhere']))
    await recorder.untilCount(2)
    // What cannot be read yet is not asked for again and again.
    expect(recorder.wantsCalls - calls).toBeLessThan(200)
    await transaction.commit()
    await recorder.untilCount(4)
    expect(recorder.values(0)).toEqual(['before', 'inside', 'after'])
  } finally {
    await producer.close()
  }
})
