import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KpiError } from '../../../../src/errors.ts'
import { parseFetch } from '../../../../src/kafka/fetch/fetch-protocol.ts'
import { ByteReader } from '../../../../src/kafka/records/byte-reader.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

const corrupt = expect.objectContaining({ code: 'KPI_KAFKA_CORRUPT' })

function int(value: number | bigint, bytes: 2 | 4 | 8): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer.subarray(8 - bytes)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

/** Tag 7 with three bytes: nobody knows it. */
const unknownTag = Buffer.from([1, 7, 3, 0xff, 0xff, 0xff])
const noTags = Buffer.from([0])

function partitionBytes(partition: number, records: Buffer | null, tags = noTags, lastTags = tags): Buffer {
  return Buffer.concat([
    int(partition, 4),
    int(0, 2),
    int(2 ** 40 + 5, 8), // high watermark
    int(2 ** 40 + 3, 8), // last stable offset
    int(11, 8), // log start offset
    varint(3), // two aborted transactions
    ...[100, 200].flatMap((offset) => [int(7, 8), int(offset, 8), tags]),
    int(-1, 4), // preferred read replica
    records ? Buffer.concat([varint(records.length + 1), records]) : varint(0),
    lastTags,
  ])
}

function answerBytes(partitions: readonly Buffer[], tags = noTags): Buffer {
  const topicId = Buffer.alloc(16, 0xab)
  return Buffer.concat([
    int(20, 4), // throttle time
    int(0, 2),
    int(0, 4), // session
    varint(2),
    topicId,
    varint(partitions.length + 1),
    ...partitions,
    tags,
    tags,
  ])
}

describe('parseFetch', () => {
  it.each([
    ['no tags', noTags],
    ['unknown tags', unknownTag],
  ])('finds every field, with %s', (_what, tags) => {
    const records = Buffer.alloc(200, 0x5a)
    const buffer = answerBytes([partitionBytes(3, records, tags), partitionBytes(0, null, tags)], tags)
    const { partitions, ...rest } = parseFetch(buffer)
    expect(rest).toEqual({ throttleTimeMs: 20, errorCode: 0 })
    const aborted = [100, 200].map((firstOffset) => ({ producerId: 7, firstOffset }))
    const common = {
      errorCode: 0,
      highWatermark: 2 ** 40 + 5,
      lastStableOffset: 2 ** 40 + 3,
      logStartOffset: 11,
      aborted,
    }
    expect(partitions).toMatchObject([
      { partition: 3, ...common },
      { partition: 0, ...common },
    ])
    const [first, second] = partitions.map(({ records: { start, end } }) => buffer.subarray(start, end))
    expect(first?.equals(records)).toBe(true)
    expect(second).toHaveLength(0)
  })

  it('finds where the log stops being the one that was read, among other tags', () => {
    const diverging = Buffer.concat([
      varint(3),
      varint(0),
      varint(13),
      int(7, 4),
      int(2 ** 40 + 1, 8),
      noTags,
      unknownTag.subarray(1),
      varint(9),
      varint(0),
    ])
    const [found] = parseFetch(answerBytes([partitionBytes(3, null, noTags, diverging)])).partitions
    expect(found?.diverging).toEqual({ epoch: 7, endOffset: 2 ** 40 + 1 })
  })

  it('refuses an answer that is cut off, wherever', () => {
    const buffer = answerBytes([partitionBytes(3, Buffer.alloc(20))])
    // Its last byte, the tags of the whole, is not looked at.
    for (let length = 0; length < buffer.length - 1; length++) {
      expect(() => parseFetch(buffer.subarray(0, length))).toThrow(corrupt)
    }
  })

  it('ends with KPI_KAFKA_CORRUPT or an answer, whatever the bytes', () => {
    const good = answerBytes([partitionBytes(3, Buffer.alloc(20)), partitionBytes(1, null)])
    const changed = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { maxLength: 5 })
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      changed.map((changes) => {
        const copy = Buffer.from(good)
        for (const [at, byte] of changes) copy[at] = byte
        return copy
      }),
    )
    fc.assert(
      fc.property(bytes, (buffer) => {
        try {
          for (const { records } of parseFetch(buffer).partitions) {
            expect(records.start).toBeLessThanOrEqual(records.end)
            expect(records.end).toBeLessThanOrEqual(buffer.length)
          }
        } catch (error) {
          if (!(error instanceof KpiError && error.code === 'KPI_KAFKA_CORRUPT')) throw error
        }
      }),
      { ...propertyRuns, numRuns: propertyRuns.numRuns * 5 },
    )
  })
})

describe('ByteReader', () => {
  it('reads integers of every length', () => {
    const reader = new ByteReader(Buffer.concat([Buffer.from([0xfe]), int(-2, 2), int(-3, 4), int(-(2n ** 53n), 8)]))
    expect([reader.int8(), reader.int16(), reader.int32(), reader.int64()]).toEqual([-2, -2, -3, -(2 ** 53)])
    expect(() => reader.int8()).toThrow(corrupt)
  })

  it('reads lengths of up to five bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (value) => {
        expect(new ByteReader(varint(value)).unsignedVarint()).toBe(value)
      }),
      propertyRuns,
    )
    expect(() => new ByteReader(Buffer.alloc(9, 0xff)).unsignedVarint()).toThrow(corrupt)
  })

  it('reads a UUID', () => {
    const bytes = Buffer.from(Array.from({ length: 16 }, (_, i) => i * 16 + 1))
    expect(new ByteReader(bytes).uuid()).toBe('01112131-4151-6171-8191-a1b1c1d1e1f1')
  })

  it('reads its own part of a buffer only', () => {
    const reader = new ByteReader(Buffer.from([9, 1, 2, 9]), 1, 3)
    expect(reader.int16()).toBe(0x0102)
    expect(() => reader.int8()).toThrow(corrupt)
  })
})
