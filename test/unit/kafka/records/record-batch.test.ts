import { describe, expect, it } from 'vitest'
import { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'
import { messageKey } from '../../../../src/kafka/records/message-key.ts'
import { compressions, identifyBatch, RecordBatchWriter } from '../../../../src/kafka/records/record-batch-writer.ts'
import { nextOffsetOf } from '../../../../src/kafka/records/record-range.ts'
import { batchBytes, marker, type RecordSpec, rangeOf, sealed, zigzag } from './batch-bytes.ts'
import { visit } from './visited.ts'

const corrupt = expect.objectContaining({ name: 'KpiError', code: 'KPI_KAFKA_CORRUPT', retryable: false })

function recordsAt(...offsetDeltas: number[]): RecordSpec[] {
  return offsetDeltas.map((offsetDelta) => ({ offsetDelta, value: `v${offsetDelta}` }))
}

describe('walkRecords', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('reads records packed with %s', (compression) => {
    const records = [
      { offsetDelta: 0, timestampDelta: 0, key: 'AAPL', value: '{"a":1}' },
      { offsetDelta: 1, timestampDelta: -3, key: null, value: 'x'.repeat(300) },
      { offsetDelta: 2, timestampDelta: 70_000, key: '', value: '' },
      { offsetDelta: 3, timestampDelta: 5, key: 'MSFT', value: null },
      {
        offsetDelta: 4,
        value: 'with headers',
        headers: [
          ['source', 'test'],
          ['nothing', null],
        ] as const,
      },
    ]
    const range = rangeOf(batchBytes({ baseOffset: 1000, baseTimestamp: 1_771_079_400_000, compression, records }))
    expect(visit(range, 1000)).toEqual({
      records: [
        { offset: 1000, timestampMs: 1_771_079_400_000, key: 'AAPL', value: '{"a":1}' },
        { offset: 1001, timestampMs: 1_771_079_399_997, key: null, value: 'x'.repeat(300) },
        { offset: 1002, timestampMs: 1_771_079_470_000, key: '', value: '' },
        { offset: 1003, timestampMs: 1_771_079_400_005, key: 'MSFT', value: null },
        { offset: 1004, timestampMs: 1_771_079_400_000, key: null, value: 'with headers' },
      ],
      withoutMessage: 0,
      next: 1005,
    })
  })

  it.each(compressions)('reads what our own writer packs with %s', (compression) => {
    const messages = new MessageBatch({ maxMessages: 300, maxBytes: 100_000 })
    const writer = new RecordBatchWriter(1_000_000)
    for (let i = 0; i < 300; i++) {
      const value = `{"symbol":"S${i}","close":${i}.25}`
      const at = messages.reserve(value.length)
      messages.commit(messageKey(`S${i}`), at + messages.bytes.write(value, at))
      expect(writer.append(messages, i, 5000 + i)).toBe(true)
    }
    const batch = writer.finish(compression)
    identifyBatch(batch, { producerId: 7n, producerEpoch: 1, baseSequence: 0 })
    const { records, next } = visit(rangeOf(batch), 0)
    expect(next).toBe(300)
    expect(records[299]).toEqual({
      offset: 299,
      timestampMs: 5299,
      key: 'S299',
      value: '{"symbol":"S299","close":299.25}',
    })
  })

  it('skips the records before the wanted offset', () => {
    const range = rangeOf(
      batchBytes({ baseOffset: 10, records: recordsAt(0, 1) }),
      batchBytes({ baseOffset: 12, records: recordsAt(0, 1, 2, 3) }),
    )
    const { records, withoutMessage, next } = visit(range, 14)
    expect(records.map(({ offset }) => offset)).toEqual([14, 15])
    expect({ withoutMessage, next }).toEqual({ withoutMessage: 0, next: 16 })
  })

  it('counts compacted offsets before, inside, after and between batches', () => {
    const range = rangeOf(
      batchBytes({ baseOffset: 3, lastOffsetDelta: 9, records: recordsAt(2, 3, 7) }),
      batchBytes({ baseOffset: 20, records: recordsAt(0) }),
    )
    const { records, withoutMessage, next } = visit(range, 1)
    expect(records.map(({ offset }) => offset)).toEqual([5, 6, 10, 20])
    expect({ withoutMessage, next }).toEqual({ withoutMessage: 16, next: 21 })
  })

  it('counts a batch that compaction emptied, packed or not', () => {
    for (const compression of ['none', 'lz4'] as const) {
      const range = rangeOf(batchBytes({ baseOffset: 5, lastOffsetDelta: 9, compression, records: [] }))
      expect(visit(range, 7)).toEqual({ records: [], withoutMessage: 8, next: 15 })
    }
  })

  it('stops before a batch that is cut off, wherever', () => {
    const whole = batchBytes({ baseOffset: 0, records: recordsAt(0, 1) })
    const cut = batchBytes({ baseOffset: 2, records: recordsAt(0, 1, 2) })
    for (let length = 0; length < cut.length; length++) {
      const range = rangeOf(whole, cut.subarray(0, length))
      expect(visit(range, 0).next).toBe(2)
      expect(nextOffsetOf(range, 0)).toBe(2)
    }
    expect(visit(rangeOf(cut.subarray(0, 50)), 2)).toEqual({ records: [], withoutMessage: 0, next: 2 })
  })

  it('reads only its own part of the buffer', () => {
    const batch = batchBytes({ baseOffset: 4, records: recordsAt(0) })
    const buffer = Buffer.concat([Buffer.alloc(13, 0xff), batch, batch])
    expect(visit({ buffer, start: 13, end: 13 + batch.length }, 4).next).toBe(5)
  })

  describe('timestamps', () => {
    const records = [{ offsetDelta: 0 }, { offsetDelta: 1, timestampDelta: 250 }]

    it('are the producer’s when it gave them', () => {
      const { records: found } = visit(rangeOf(batchBytes({ baseOffset: 0, baseTimestamp: 1000, records })), 0)
      expect(found.map(({ timestampMs }) => timestampMs)).toEqual([1000, 1250])
    })

    it('are the broker’s where the topic says so', () => {
      const batch = batchBytes({
        baseOffset: 0,
        baseTimestamp: 1000,
        maxTimestamp: 99_999,
        logAppendTime: true,
        records,
      })
      const { records: found } = visit(rangeOf(batch), 0)
      expect(found.map(({ timestampMs }) => timestampMs)).toEqual([99_999, 99_999])
    })

    it('are −1 where there are none', () => {
      const { records: found } = visit(
        rangeOf(
          batchBytes({
            baseOffset: 0,
            baseTimestamp: -1,
            records: [{ offsetDelta: 0 }, { offsetDelta: 1, timestampDelta: 1001 }],
          }),
        ),
        0,
      )
      expect(found.map(({ timestampMs }) => timestampMs)).toEqual([-1, 1000])
    })

    it('may be nonsense', () => {
      const batch = batchBytes({
        baseOffset: 0,
        baseTimestamp: 2n ** 63n - 1n,
        records: [{ offsetDelta: 0 }, { offsetDelta: 1, timestampDelta: -(2n ** 63n) }],
      })
      const { records: found, next } = visit(rangeOf(batch), 0)
      expect(found.every(({ timestampMs }) => Number.isFinite(timestampMs))).toBe(true)
      expect(next).toBe(2)
    })
  })

  describe('transactions', () => {
    const of = (producerId: number, baseOffset: number, count: number) =>
      batchBytes({ baseOffset, producerId, transactional: true, records: recordsAt(...Array(count).keys()) })

    it('count when committed, and their markers do not', () => {
      const range = rangeOf(of(7, 0, 2), marker(2, 7, 'commit'))
      const { records, withoutMessage, next } = visit(range, 0)
      expect(records.map(({ offset }) => offset)).toEqual([0, 1])
      expect({ withoutMessage, next }).toEqual({ withoutMessage: 1, next: 3 })
    })

    it('do not count when aborted, until their own marker', () => {
      const range = rangeOf(
        of(7, 0, 2), // aborted
        of(8, 2, 1), // committed, in between
        batchBytes({ baseOffset: 3, records: recordsAt(0) }), // no transaction
        of(7, 4, 1), // aborted
        marker(5, 8, 'commit'),
        marker(6, 7, 'abort'),
        of(7, 7, 2), // the same producer's next one
        marker(9, 7, 'commit'),
      )
      const { records, withoutMessage, next } = visit(range, 0, [{ producerId: 7, firstOffset: 0 }])
      expect(records.map(({ offset }) => offset)).toEqual([2, 3, 7, 8])
      expect({ withoutMessage, next }).toEqual({ withoutMessage: 6, next: 10 })
    })

    it('are told apart when one producer aborts several, listed in any order', () => {
      const range = rangeOf(
        of(7, 0, 1),
        marker(1, 7, 'abort'),
        of(7, 2, 1),
        marker(3, 7, 'commit'),
        of(7, 4, 1),
        marker(5, 7, 'abort'),
      )
      const aborted = [4, 0].map((firstOffset) => ({ producerId: 7, firstOffset }))
      expect(visit(range, 0, aborted).records.map(({ offset }) => offset)).toEqual([2])
    })

    it('that began before the wanted offset are still aborted', () => {
      const range = rangeOf(of(7, 0, 4), of(7, 4, 2), marker(6, 7, 'abort'))
      const found = visit(range, 2, [{ producerId: 7, firstOffset: 0 }])
      expect(found).toEqual({ records: [], withoutMessage: 5, next: 7 })
    })

    it('that ended before the wanted offset are over', () => {
      const range = rangeOf(of(7, 0, 1), marker(1, 7, 'abort'), of(7, 2, 1), marker(3, 7, 'commit'))
      const { records } = visit(range, 2, [{ producerId: 7, firstOffset: 0 }])
      expect(records.map(({ offset }) => offset)).toEqual([2])
    })
  })

  describe('refuses', () => {
    const good = () => batchBytes({ baseOffset: 100, records: recordsAt(0, 1, 2) })

    it('a wrong checksum, in whatever byte it covers', () => {
      const length = good().length
      for (let at = 17; at < length; at++) {
        const batch = good()
        batch.writeUInt8((batch[at] ?? 0) ^ 0x04, at)
        expect(() => visit(rangeOf(batch), 100)).toThrow(corrupt)
      }
    })

    it.each([0, 1, 3])('format %i', (magic) => {
      // The old formats' shortest message is shorter than the header of ours.
      const batch = good().subarray(0, 34)
      batch[16] = magic
      expect(() => visit(rangeOf(batch), 100)).toThrow(`format ${magic}`)
      expect(() => nextOffsetOf(rangeOf(batch), 100)).toThrow(corrupt)
    })

    it.each([-2_147_483_648, -62, -13, -12, 0, 48])('a batch length of %i', (length) => {
      const batch = good()
      batch.writeInt32BE(length, 8)
      expect(() => visit(rangeOf(batch), 100)).toThrow(corrupt)
      expect(() => nextOffsetOf(rangeOf(batch), 100)).toThrow(corrupt)
    })

    it.each([
      ['a negative offset', { baseOffset: -1, records: recordsAt(0) }],
      ['offsets beyond 2^53', { baseOffset: 2 ** 53 - 2, records: recordsAt(0, 1) }],
      ['a last offset before the first', { baseOffset: 5, lastOffsetDelta: -1, records: recordsAt(0) }],
      ['fewer records than it says', { baseOffset: 0, count: 4, lastOffsetDelta: 9, records: recordsAt(0, 1, 2) }],
      ['more records than it says', { baseOffset: 0, count: 2, records: recordsAt(0, 1, 2) }],
      ['a negative count', { baseOffset: 0, count: -1, records: recordsAt(0) }],
      ['records out of order', { baseOffset: 0, lastOffsetDelta: 9, records: recordsAt(2, 1) }],
      ['two records at one offset', { baseOffset: 0, lastOffsetDelta: 9, records: recordsAt(1, 1) }],
      ['a record before the batch', { baseOffset: 50, lastOffsetDelta: 9, records: recordsAt(-1, 1) }],
      ['a record behind the batch', { baseOffset: 0, lastOffsetDelta: 1, records: recordsAt(0, 2) }],
      ['bytes behind the records', { baseOffset: 0, records: recordsAt(0), trailing: Buffer.alloc(3) }],
      ['a record longer than the batch', { baseOffset: 0, count: 1, records: [], trailing: zigzag(1000n) }],
      ['a record of negative length', { baseOffset: 0, count: 1, records: [], trailing: zigzag(-20n) }],
      ['an endless number', { baseOffset: 0, count: 1, records: [], trailing: Buffer.alloc(30, 0xff) }],
      [
        'a key that ends outside its record',
        {
          baseOffset: 0,
          count: 1,
          records: [],
          trailing: Buffer.concat([zigzag(8n), Buffer.from([0, 0, 0]), zigzag(40n), Buffer.alloc(60)]),
        },
      ],
      [
        'a value that ends outside its record',
        {
          baseOffset: 0,
          count: 1,
          records: [],
          trailing: Buffer.concat([zigzag(8n), Buffer.from([0, 0, 0, 1]), zigzag(40n), Buffer.alloc(60)]),
        },
      ],
    ])('%s', (_what, spec) => {
      const range = rangeOf(batchBytes(spec), good())
      expect(() => visit(range, 0)).toThrow(corrupt)
    })

    it('a batch at offsets that another one had', () => {
      const range = rangeOf(good(), batchBytes({ baseOffset: 102, records: recordsAt(0) }))
      expect(() => visit(range, 0)).toThrow('after one up to 102')
    })

    it('a packed batch that does not unpack, and an unknown kind of packing', () => {
      for (const compression of [1, 2, 3, 4, 5, 7]) {
        const batch = good()
        batch.writeInt16BE(compression, 21)
        expect(() => visit(rangeOf(sealed(batch)), 100)).toThrow(corrupt)
      }
    })

    it('a control batch without a key', () => {
      const batch = batchBytes({ baseOffset: 0, producerId: 7, control: true, records: [{ offsetDelta: 0, key: 'x' }] })
      expect(() => visit(rangeOf(batch), 0)).toThrow(corrupt)
    })
  })
})
