import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KpiError } from '../../../../src/errors.ts'
import { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'
import { messageKey } from '../../../../src/kafka/records/message-key.ts'
import { compressions, identifyBatch, RecordBatchWriter } from '../../../../src/kafka/records/record-batch-writer.ts'
import { endOf, nextOffsetOf } from '../../../../src/kafka/records/record-range.ts'
import { noEpoch } from '../../../../src/kpi/leader-epochs.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
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

const value = fc.option(fc.string({ maxLength: 40 }), { nil: null })

/** A batch, where it stands relative to the one before, and how it counts. */
const batchArbitrary = fc.record({
  gapBefore: fc.nat({ max: 4 }),
  gaps: fc.array(fc.nat({ max: 3 }), { maxLength: 6 }),
  gapAfter: fc.nat({ max: 4 }),
  value,
  compression: fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd' as const),
  kind: fc.constantFrom('plain', 'aborted', 'committed', 'marker' as const),
})

function logOf(batches: readonly (typeof batchArbitrary extends fc.Arbitrary<infer T> ? T : never)[]) {
  const bytes: Buffer[] = []
  const messages = new Set<number>()
  const aborted: { producerId: number; firstOffset: number }[] = []
  let offset = 0
  for (const { gapBefore, gaps, gapAfter, value, compression, kind } of batches) {
    const baseOffset = offset + gapBefore
    const producerId = kind === 'aborted' ? 1 : 2
    if (kind === 'marker') {
      bytes.push(marker(baseOffset, 1, 'abort'))
      offset = baseOffset + 1
      continue
    }
    const deltas = gaps.map((gap, i) => gap + i + gaps.slice(0, i).reduce((sum, g) => sum + g, 0))
    const lastOffsetDelta = (deltas.at(-1) ?? 0) + gapAfter
    const records = deltas.map((offsetDelta) => ({ offsetDelta, value }))
    const transactional = kind !== 'plain'
    bytes.push(batchBytes({ baseOffset, lastOffsetDelta, compression, producerId, transactional, records }))
    if (kind === 'aborted') aborted.push({ producerId, firstOffset: baseOffset })
    else for (const delta of deltas) messages.add(baseOffset + delta)
    offset = baseOffset + lastOffsetDelta + 1
  }
  return { bytes, messages, aborted, end: offset }
}

describe('walking', () => {
  it('visits each offset once, from wherever, however the log is cut into answers', () => {
    fc.assert(
      fc.property(
        fc.array(batchArbitrary, { maxLength: 8 }),
        fc.nat({ max: 20 }),
        fc.infiniteStream(fc.nat({ max: 3 })),
        (batches, from, cuts) => {
          const log = logOf(batches)
          const seen: number[] = []
          let next = from
          let counted = 0
          for (let at = 0; at < log.bytes.length; ) {
            // An answer begins with the batch that holds the wanted offset, and ends anywhere.
            const count = (cuts.next().value ?? 0) + 1
            const rest = log.bytes[at + count]?.subarray(0, 40) ?? Buffer.alloc(0)
            const range = rangeOf(...log.bytes.slice(at, at + count), rest)
            const found = visit(range, next, log.aborted)
            expect(nextOffsetOf(range, next)).toBe(found.next)
            seen.push(...found.records.map(({ offset }) => offset))
            counted += found.records.length + found.withoutMessage
            expect(counted).toBe(found.next - from)
            next = found.next
            at += count
          }
          expect(seen).toEqual([...log.messages].filter((offset) => offset >= from))
          expect(next).toBe(Math.max(from, log.end))
        },
      ),
      propertyRuns,
    )
  })

  it('ends with KPI_KAFKA_CORRUPT or a whole count, whatever the bytes', () => {
    const corrupted = fc
      .tuple(
        fc.array(batchArbitrary, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.boolean(),
      )
      .map(([batches, changes, isResealed]) => {
        const bytes = logOf(batches).bytes.map((batch) => Buffer.from(batch))
        for (const batch of bytes) {
          for (const [at, byte] of changes) batch[at % batch.length] = byte
          if (isResealed) sealed(batch)
        }
        return Buffer.concat(bytes)
      })
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => {
      const buffer = Buffer.from(bytes)
      if (buffer.length > 16) buffer[16] = 2
      return buffer
    })
    fc.assert(
      fc.property(fc.oneof(corrupted, random), fc.nat({ max: 30 }), (buffer, from) => {
        const range = rangeOf(buffer)
        try {
          const found = visit(range, from)
          expect(found.records.length + found.withoutMessage).toBe(found.next - from)
          expect(nextOffsetOf(range, from)).toBe(found.next)
        } catch (error) {
          if (!(error instanceof KpiError && error.code === 'KPI_KAFKA_CORRUPT')) throw error
        }
      }),
      { ...propertyRuns, numRuns: propertyRuns.numRuns * 5 },
    )
  })
})

describe('endOf', () => {
  const batch = (baseOffset: number, leaderEpoch: number) =>
    batchBytes({ baseOffset, leaderEpoch, lastOffsetDelta: 9, records: [{ offsetDelta: 0 }] })
  const read = { leaderEpoch: 3, epochFrom: 0 }

  it('finds the epoch of the last whole batch, and from where on it was read', () => {
    const cut = batch(40, 9).subarray(0, 50)
    const range = rangeOf(Buffer.concat([batch(10, 3), batch(20, 5), batch(30, 5), cut]))
    const epoch = { leaderEpoch: 5, epochFrom: 20 }
    expect(endOf(range, 10, read)).toEqual({ next: 40, epoch, isLower: false })
    // A batch that begins before the offset asked for has been read in part.
    expect(endOf(range, 25, read)).toEqual({ next: 40, epoch: { leaderEpoch: 5, epochFrom: 25 }, isLower: false })
    expect(endOf(rangeOf(batch(10, 3)), 10, read)).toEqual({ next: 20, epoch: read, isLower: false })
    expect(endOf(rangeOf(Buffer.alloc(0)), 10, read)).toEqual({ next: 10, epoch: read, isLower: false })
  })

  it('notices a batch of an earlier leader behind one of a later leader', () => {
    expect(endOf(rangeOf(batch(10, 2)), 10, read).isLower).toBe(true)
    expect(endOf(rangeOf(Buffer.concat([batch(10, 5), batch(20, 4)])), 10, read).isLower).toBe(true)
    // What lies before the offset asked for says nothing.
    expect(endOf(rangeOf(Buffer.concat([batch(0, 2), batch(10, 3)])), 10, read).isLower).toBe(false)
  })

  it('knows nothing more where a batch has no epoch', () => {
    expect(endOf(rangeOf(batch(10, -1)), 10, read)).toEqual({ next: 20, epoch: noEpoch, isLower: false })
    const range = rangeOf(Buffer.concat([batch(10, -1), batch(20, 1)]))
    expect(endOf(range, 10, read)).toMatchObject({ epoch: { leaderEpoch: 1, epochFrom: 20 }, isLower: false })
  })
})
