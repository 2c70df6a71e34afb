import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchHeaderBytes } from '../../../../src/kafka/records/batch-header.ts'
import { headerBytes, readHeaders } from '../../../../src/kafka/records/message-headers.ts'
import { walkRecords } from '../../../../src/kafka/records/record-batch.ts'
import {
  type Compression,
  compressions,
  identifyBatch,
  RecordBatchWriter,
  varintBytes,
  writeVarint,
} from '../../../../src/kafka/records/record-batch-writer.ts'
import { producerAt } from '../../../../src/kafka/records/record-range.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
import { batchOf, type PlainMessage, someMessages } from './batches.ts'
import { visit } from './visited.ts'

const identity = { producerId: 2n ** 40n + 7n, producerEpoch: 3, baseSequence: 41 }

function write(
  messages: readonly PlainMessage[],
  timestamps: readonly number[],
  compression: Compression = 'none',
): Buffer {
  const batch = batchOf(messages)
  const writer = new RecordBatchWriter(2 ** 24)
  for (let i = 0; i < messages.length; i++) expect(writer.append(batch, i, timestamps[i] ?? 0)).toBe(true)
  const records = writer.finish(compression)
  identifyBatch(records, identity)
  return records
}

describe('a written record batch', () => {
  it.each(compressions)('is read back as it was: %s', (compression) => {
    const messages = [...someMessages(300), { key: 'E', value: '' }, { key: 'L', value: 'x'.repeat(70_000) }]
    const timestamps = messages.map((_, i) => 1_771_079_405_250 + (i % 5) * 1000 - i)
    const buffer = write(messages, timestamps, compression)
    const { records, next } = visit({ buffer, start: 0, end: buffer.length }, 0)
    expect(next).toBe(messages.length)
    expect(records).toEqual(
      messages.map(({ key, value }, offset) => ({
        offset,
        timestampMs: timestamps[offset],
        key,
        value: value === '' ? null : value,
      })),
    )
  })

  it('keeps the headers of each record', () => {
    const messages = someMessages(5).map((message, i) => ({ ...message, headers: headerBytes({ line: String(i) }) }))
    const buffer = write(messages, [1, 2, 3, 4, 5])
    const lines: (string | undefined)[] = []
    walkRecords({ buffer, start: 0, end: buffer.length }, 0, [], {
      record: (bytes, _offset, _timestampMs, _valueStart, valueEnd) => {
        lines.push(readHeaders(bytes, valueEnd).get('line'))
      },
      withoutMessage: () => undefined,
    })
    expect(lines).toEqual(['0', '1', '2', '3', '4'])
  })

  it('says who wrote each record', () => {
    const first = write(someMessages(3), [1, 2, 3])
    const second = write(someMessages(4), [1, 2, 3, 4])
    second.writeBigInt64BE(3n, 0)
    identifyBatch(second, { ...identity, baseSequence: 2 ** 31 - 2 })
    const buffer = Buffer.concat([first, second])
    const range = { buffer, start: 0, end: buffer.length }
    const { producerId, producerEpoch: epoch } = identity
    expect(producerAt(range, 2)).toEqual({ producerId, epoch, sequence: 43 })
    expect(producerAt(range, 3)).toEqual({ producerId, epoch, sequence: 2 ** 31 - 2 })
    expect(producerAt(range, 5)).toEqual({ producerId, epoch, sequence: 0 })
    expect(producerAt(range, 7)).toBeUndefined()
  })

  it('is full at its limit, and takes a single record beyond it', () => {
    const batch = batchOf(someMessages(100, 100))
    const writer = new RecordBatchWriter(1000)
    let taken = 0
    while (writer.append(batch, taken, 0)) taken += 1
    expect(taken).toBeGreaterThan(5)
    expect(writer.size).toBeLessThanOrEqual(1000)
    expect(writer.finish('none').length).toBeLessThanOrEqual(1000)
    const huge = new RecordBatchWriter(1000)
    const messages = batchOf([{ key: 'A', value: 'x'.repeat(5000) }])
    expect(huge.append(messages, 0, 0)).toBe(true)
    expect(huge.append(messages, 0, 0)).toBe(false)
  })

  it('has a checksum that a changed bit breaks', () => {
    const buffer = write(someMessages(3), [1, 2, 3])
    buffer[batchHeaderBytes + 10] = (buffer[batchHeaderBytes + 10] ?? 0) ^ 1
    expect(() => visit({ buffer, start: 0, end: buffer.length }, 0)).toThrow(
      expect.objectContaining({ code: 'KPI_KAFKA_CORRUPT' }),
    )
  })

  it('takes any messages at any times', () => {
    const message = fc.record({ key: fc.string({ maxLength: 40 }), value: fc.string({ minLength: 1, maxLength: 300 }) })
    const timed = fc.tuple(message, fc.integer({ min: 0, max: 2 ** 45 }))
    fc.assert(
      fc.property(fc.array(timed, { minLength: 1, maxLength: 50 }), (all) => {
        const messages = all.map(([one]) => one)
        const times = all.map(([, time]) => time)
        const buffer = write(messages, times)
        const { records } = visit({ buffer, start: 0, end: buffer.length }, 0)
        expect(records.map(({ key, value, timestampMs }) => ({ key, value, timestampMs }))).toEqual(
          messages.map(({ key, value }, i) => ({ key, value, timestampMs: times[i] })),
        )
      }),
      propertyRuns,
    )
  })
})

describe('a varint', () => {
  it('is as long as told', () => {
    const buffer = Buffer.alloc(5)
    for (const value of [0, -1, 63, 64, -64, -65, 8191, 8192, 1_048_575, 1_048_576, 2 ** 27, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(varintBytes(value), String(value)).toBe(writeVarint(buffer, 0, value))
    }
  })
})
