import { describe, expect, it } from 'vitest'
import { headerBytes, readHeaders } from '../../../../src/kafka/records/message-headers.ts'
import { walkRecords } from '../../../../src/kafka/records/record-batch.ts'
import { compressions, identifyBatch, RecordBatchWriter } from '../../../../src/kafka/records/record-batch-writer.ts'
import { splitBatch } from '../../../../src/kafka/records/split-batch.ts'
import { batchOf, someMessages } from './batches.ts'

interface Read {
  readonly key: string
  readonly value: string | null
  readonly timestampMs: number
  readonly line: string | undefined
}

function readAll(records: Buffer): Read[] {
  identifyBatch(records, { producerId: 1n, producerEpoch: 0, baseSequence: 0 })
  const all: Read[] = []
  walkRecords({ buffer: records, start: 0, end: records.length }, 0, [], {
    record: (buffer, _offset, timestampMs, valueStart, valueEnd, keyStart, keyEnd) => {
      all.push({
        key: buffer.toString('utf8', keyStart, keyEnd),
        value: valueStart < 0 ? null : buffer.toString('utf8', valueStart, valueEnd),
        timestampMs,
        line: readHeaders(buffer, valueEnd).get('line'),
      })
    },
    withoutMessage: () => undefined,
  })
  return all
}

describe('a split record batch', () => {
  it.each(compressions)('holds the same records in the same order: %s', (compression) => {
    const messages = [...someMessages(10), { key: 'E', value: '' }].map((message, i) => ({
      ...message,
      ...(i % 3 === 0 ? {} : { headers: headerBytes({ line: String(i), other: 'x' }) }),
    }))
    const writer = new RecordBatchWriter(2 ** 20)
    const batch = batchOf(messages)
    for (let i = 0; i < messages.length; i++) writer.append(batch, i, 1000 - i)
    const whole = writer.finish(compression)
    const before = readAll(whole)
    const parts = splitBatch(whole)
    expect(parts.map(({ count }) => count)).toEqual([6, 5])
    expect(parts.flatMap(({ records }) => readAll(records))).toEqual(before)
  })

  it('of two records is one and one', () => {
    const writer = new RecordBatchWriter(2 ** 20)
    const batch = batchOf(someMessages(2))
    writer.append(batch, 0, 5)
    writer.append(batch, 1, 6)
    const whole = writer.finish('none')
    identifyBatch(whole, { producerId: 1n, producerEpoch: 0, baseSequence: 0 })
    expect(splitBatch(whole).map(({ records }) => readAll(records).map(({ timestampMs }) => timestampMs))).toEqual([
      [5],
      [6],
    ])
  })
})
