// Reading partitions from a real broker: what is read, in which order, and when it stops.

import { describe, expect, it } from 'vitest'
import { alterClientQuotasV1, ClientQuotaEntityTypes, ClientQuotaKeys } from '#kafka-protocol'
import { KpiError } from '../../../src/errors.ts'
import { RecordingLog } from '../../recording-log.ts'
import { FetchRecorder, places } from '../scenes/fetch-recorder.ts'
import { createTopic, deleteRecords, deleteTopic, makeTopic, type TestTopic, valuesFor } from '../scenes/kafka-topic.ts'
import { send } from '../scenes/market.ts'
import { until } from '../scenes/until.ts'

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`)

describe('reads', () => {
  it('ten partitions, some of them empty, each message once and in order', async () => {
    await using topic = await makeTopic({ partitions: 10 })
    const filled = [0, 2, 3, 5, 8, 9]
    const counts = new Map(filled.map((partition, i) => [partition, 500 * (i + 1)]))
    await send(
      topic.cluster,
      topic.name,
      filled.flatMap((p) => valuesFor(p, 10, numbered(counts.get(p) ?? 0))),
    )
    await using recorder = new FetchRecorder(topic)
    for (let partition = 0; partition < 10; partition++) recorder.seek(partition, 0)
    await recorder.untilCount(500 * 21)
    // The empty ones may be answered later.
    await until(
      'all partitions answered',
      () => Array.from({ length: 10 }, (_, partition) => recorder.of(partition).endOffset),
      (ends) => ends.every((end) => end >= 0),
    )
    for (let partition = 0; partition < 10; partition++) {
      const count = counts.get(partition) ?? 0
      expect(recorder.values(partition)).toEqual(numbered(count))
      expect(recorder.of(partition)).toMatchObject({ next: count, endOffset: count, withoutMessage: 0 })
    }
  })

  it('from the middle, and from the end what comes later', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    await send(
      topic.cluster,
      topic.name,
      [0, 1].flatMap((p) => valuesFor(p, 2, numbered(100))),
    )
    await using recorder = new FetchRecorder(topic)
    recorder.seek(0, 57)
    recorder.seek(1, 100)
    await recorder.untilCount(43)
    await send(topic.cluster, topic.name, valuesFor(1, 2, numbered(3, 100)))
    await recorder.untilCount(46)
    expect(recorder.values(0)).toEqual(numbered(43, 57))
    expect(recorder.values(1)).toEqual(numbered(3, 100))
  })

  it('messages larger than an answer may be, without starving other partitions', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    const large = numbered(20).map((text) => text.padEnd(40_000, '.'))
    for (const value of large) await send(topic.cluster, topic.name, valuesFor(0, 2, [value]))
    await send(topic.cluster, topic.name, valuesFor(1, 2, numbered(500)))
    await using recorder = new FetchRecorder(topic, { maxBytes: 2000, partitionMaxBytes: 1000 })
    recorder.seek(0, 0)
    recorder.seek(1, 0)
    await recorder.untilCount(520)
    expect(recorder.values(0)).toEqual(large)
    expect(recorder.values(1)).toEqual(numbered(500))
    // One whole message an answer.
    expect(recorder.of(0).answers).toBeGreaterThanOrEqual(20)
  })

  it('the broker’s clock, or the producer’s, as the topic says', async () => {
    for (const type of ['LogAppendTime', 'CreateTime']) {
      await using topic = await makeTopic({ configs: { 'message.timestamp.type': type } })
      const before = Date.now()
      await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(1)))
      await using recorder = new FetchRecorder(topic)
      recorder.seek(0, 0)
      await recorder.untilCount(1)
      const [message] = recorder.of(0).messages
      expect(message?.timestampMs).toBeGreaterThanOrEqual(before)
      expect(message?.timestampMs).toBeLessThanOrEqual(Date.now())
    }
  })

  it('at once what comes after a silence, and asks seldom meanwhile', async () => {
    await using topic = await makeTopic()
    await using recorder = new FetchRecorder(topic, { maxWaitMs: 5000 })
    recorder.seek(0, 0)
    await until(
      'a request',
      () => recorder.wantsCalls,
      (calls) => calls > 0,
    )
    for (let i = 0; i < 5; i++) {
      const calls = recorder.wantsCalls
      const sentAt = performance.now()
      await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(1, i)))
      await recorder.untilCount(i + 1)
      // Far below the 5 s that a broker may hold a request.
      expect(performance.now() - sentAt).toBeLessThan(2500)
      expect(recorder.wantsCalls - calls).toBeLessThan(20)
    }
  })

  it('with few requests while little comes', async () => {
    await using topic = await makeTopic()
    await using recorder = new FetchRecorder(topic, { gatherMs: 200 })
    recorder.seek(0, 0)
    const startedAt = performance.now()
    for (let i = 0; i < 100; i++) await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(1, i)))
    await recorder.untilCount(100)
    const elapsedMs = performance.now() - startedAt
    expect(recorder.of(0).answers).toBeLessThanOrEqual(elapsedMs / 200 + 2)
  })
})

describe.each(places)('a partition, read $place,', ({ inThread }) => {
  it('that is unwanted is left out, and read on from there when wanted again', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    await using recorder = new FetchRecorder(topic, { inThread, maxWaitMs: 5000 })
    recorder.unwanted.add(0)
    recorder.seek(0, 0)
    recorder.seek(1, 0)
    await send(
      topic.cluster,
      topic.name,
      [0, 1].flatMap((p) => valuesFor(p, 2, numbered(100))),
    )
    await recorder.untilCount(100)
    expect(recorder.of(0).messages).toEqual([])
    recorder.unwanted.delete(0)
    const wantedAt = performance.now()
    await recorder.untilCount(200)
    // Not only when the broker has held the request for the others for 5 s.
    expect(performance.now() - wantedAt).toBeLessThan(2500)
    expect(recorder.values(0)).toEqual(numbered(100))
  })

  it('that is sought while an answer is under way is read from the new offset', async () => {
    await using topic = await makeTopic()
    await send(
      topic.cluster,
      topic.name,
      valuesFor(
        0,
        1,
        numbered(20_000).map((m) => m.padEnd(200, '.')),
      ),
    )
    await using recorder = new FetchRecorder(topic, { inThread, partitionMaxBytes: 100_000 })
    for (let round = 0; round < 30; round++) {
      // The recorder refuses an answer that does not begin where it was sought.
      recorder.seek(0, round * 100)
      const wanted = round % 3 === 0 ? 0 : 1
      await until(
        'an answer',
        () => recorder.of(0).answers,
        (answers) => answers >= wanted,
      )
    }
    await recorder.untilCount(20_000 - 2900)
  })

  it('that is removed is not read any more', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    await using recorder = new FetchRecorder(topic, { inThread })
    recorder.seek(0, 0)
    recorder.seek(1, 0)
    await until(
      'an answer for each',
      () => [recorder.of(0).answers, recorder.of(1).answers],
      (a) => a.every((n) => n > 0),
    )
    recorder.fetcher.remove(0)
    await send(
      topic.cluster,
      topic.name,
      [0, 1].flatMap((p) => valuesFor(p, 2, numbered(10))),
    )
    await recorder.untilCount(10)
    expect(recorder.of(0).messages).toEqual([])
  })

  it('whose beginning was deleted is reported once, and read again where it is sought', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    await send(
      topic.cluster,
      topic.name,
      [0, 1].flatMap((p) => valuesFor(p, 2, numbered(100))),
    )
    await deleteRecords(topic, 0, 40)
    await using recorder = new FetchRecorder(topic, { inThread })
    recorder.seek(0, 10)
    recorder.seek(1, 0)
    await until(
      'a report',
      () => recorder.outOfRangeReports.length,
      (count) => count > 0,
    )
    await recorder.untilCount(100)
    expect(recorder.outOfRangeReports).toEqual([{ partition: 0, offset: 10, startOffset: 40, endOffset: 100 }])
    recorder.seek(0, 40)
    await recorder.untilCount(160)
    expect(recorder.values(0)).toEqual(numbered(60, 40))
    expect(recorder.outOfRangeReports).toHaveLength(1)
  })

  it('that ends before the position is reported', async () => {
    await using topic = await makeTopic()
    await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(100)))
    await using recorder = new FetchRecorder(topic, { inThread })
    recorder.seek(0, 101)
    await until(
      'a report',
      () => recorder.outOfRangeReports.length,
      (count) => count > 0,
    )
    expect(recorder.outOfRangeReports).toEqual([{ partition: 0, offset: 101, startOffset: 0, endOffset: 100 }])
  })
})

describe('what the metadata says of a leader', () => {
  it.each([
    ['an epoch that is over', { leaderEpoch: -2 }],
    ['an epoch that has not begun', { leaderEpoch: 50 }],
    ['no leader', { leaderId: -1 }],
    ['a broker that is not there', { leaderId: 77 }],
  ])('is read again: %s', async (_what, wrong) => {
    await using topic = await makeTopic({ partitions: 2 })
    await send(
      topic.cluster,
      topic.name,
      [0, 1].flatMap((p) => valuesFor(p, 2, numbered(100))),
    )
    const [right] = topic.metadata.partitions
    if (right === undefined) throw new Error('a partition was expected')
    topic.metadata = { ...topic.metadata, partitions: [{ ...right, ...wrong }] }
    await using recorder = new FetchRecorder(topic)
    recorder.seek(0, 0)
    // Made after the metadata was read, as it were.
    recorder.seek(1, 0)
    await recorder.untilCount(200)
  })
})

describe.each(places)('a topic, read $place,', ({ inThread }) => {
  it('that is deleted is waited for, and one made anew ends the reading', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    await send(topic.cluster, topic.name, valuesFor(0, 2, numbered(10)))
    const log = new RecordingLog()
    await using recorder = new FetchRecorder(topic, { inThread, log })
    recorder.expectedFatalErrors = [expect.stringContaining('was deleted and created again')]
    recorder.seek(0, 0)
    recorder.seek(1, 0)
    await recorder.untilCount(10)
    await deleteTopic(topic.cluster, topic.name)
    await until(
      'a warning',
      () => log.lines,
      (lines) => lines.some((line) => line.includes(`the topic '${topic.name}' does not exist`)),
    )
    expect(recorder.fatalErrors).toEqual([])
    await createTopic(topic.cluster, topic.name, { partitions: 2 })
    await until(
      'an end',
      () => recorder.fatalErrors.length,
      (count) => count > 0,
    )
    expect(recorder.fatalErrors[0]).toMatchObject({ code: 'KPI_TOPIC_RECREATED' })
    await send(topic.cluster, topic.name, valuesFor(0, 2, numbered(10)))
    recorder.fetcher.seek(0, 0)
    expect(recorder.messageCount).toBe(10)
  })
})

describe.each(places)('the handler of what is read $place', ({ inThread }) => {
  it('that finds an answer corrupt ends the reading', async () => {
    await using topic = await makeTopic({ partitions: 2 })
    await using recorder = new FetchRecorder(topic, { inThread })
    recorder.expectedFatalErrors = ['broken']
    recorder.records = () => {
      throw new KpiError('KPI_KAFKA_CORRUPT', 'broken')
    }
    recorder.seek(0, 0)
    recorder.seek(1, 0)
    await until(
      'an end',
      () => recorder.fatalErrors.length,
      (count) => count > 0,
    )
  })

  it('hears nothing more after a stop, which waits for no broker', async () => {
    await using topic = await makeTopic()
    const recorder = new FetchRecorder(topic, { inThread, maxWaitMs: 20_000 })
    recorder.seek(0, 0)
    await until(
      'a request',
      () => recorder.wantsCalls,
      (calls) => calls > 0,
    )
    const stoppedAt = performance.now()
    await recorder.fetcher.stop()
    await recorder.fetcher.stop()
    expect(performance.now() - stoppedAt).toBeLessThan(1000)
    await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(10)))
    recorder.seek(0, 0)
    await recorder.fetcher.stop()
    expect(recorder.messageCount).toBe(0)
  })
})

describe('a broker that throttles', () => {
  const clientId = 'throttled-reader'
  const limit = { key: ClientQuotaKeys.CONSUMER_BYTE_RATE, value: 30_000, remove: false } as const
  const noLimit = { key: ClientQuotaKeys.CONSUMER_BYTE_RATE, remove: true } as const

  async function setQuota(topic: TestTopic, op: typeof limit | typeof noLimit): Promise<void> {
    const entities = [{ entityType: ClientQuotaEntityTypes.CLIENT_ID, entityName: clientId }]
    await topic.cluster.request('any', 'control', alterClientQuotasV1.api, [{ entities, ops: [op] }], false)
  }

  it('is obeyed', async () => {
    await using topic = await makeTopic({ clientId })
    const values = numbered(3200).map((text) => text.padEnd(100, '.'))
    // In batches of their own, which are the least that an answer holds.
    for (let i = 0; i < 32; i++)
      await send(topic.cluster, topic.name, valuesFor(0, 1, values.slice(i * 100, i * 100 + 100)))
    await setQuota(topic, limit)
    const readAll = async () => {
      await using recorder = new FetchRecorder(topic, { partitionMaxBytes: 10_000 })
      const startedAt = performance.now()
      recorder.seek(0, 0)
      await recorder.untilCount(3200)
      expect(recorder.values(0)).toEqual(values)
      return performance.now() - startedAt
    }
    try {
      // Ten seconds of the quota may pass at once, and it takes the broker a moment to know of it.
      await until('a broker that throttles', readAll, (elapsedMs) => elapsedMs > 1000)
    } finally {
      await setQuota(topic, noLimit)
    }
  })
})
