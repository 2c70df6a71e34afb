import { compressionOf, recordCountAt } from './batch-header.ts'
import { int64At } from './byte-reader.ts'
import { MessageBatch } from './message-batch.ts'
import { headersEnd } from './message-headers.ts'
import { walkRecords } from './record-batch.ts'
import { type Compression, compressions, RecordBatchWriter } from './record-batch-writer.ts'

/** Splits a batch that is too large for the broker into two, with the first and the second half of its records. */
export function splitBatch(records: Buffer): { records: Buffer; count: number }[] {
  const count = records.readInt32BE(recordCountAt)
  const compression: Compression = compressions[compressionOf(records, 0)] ?? 'none'
  const messages = new MessageBatch({ maxMessages: count, maxBytes: records.length })
  const timestampsMs: number[] = []
  walkRecords({ buffer: records, start: 0, end: records.length }, int64At(records, 0), [], {
    record: (buffer, _offset, timestampMs, valueStart, valueEnd, keyStart, keyEnd) => {
      const start = valueStart < 0 ? valueEnd : valueStart
      const end = headersEnd(buffer, valueEnd)
      const at = messages.reserve(end - start)
      buffer.copy(messages.bytes, at, start, end)
      const key = { bytes: Buffer.from(buffer.subarray(keyStart, keyEnd)), hash: 0 }
      messages.commit(key, at + valueEnd - start, at + end - start)
      timestampsMs.push(timestampMs)
    },
    withoutMessage: () => undefined,
  })
  const middle = Math.ceil(count / 2)
  return [
    [0, middle],
    [middle, count],
  ].map(([from = 0, to = 0]) => {
    const writer = new RecordBatchWriter(Number.MAX_SAFE_INTEGER)
    for (let i = from; i < to; i++) writer.append(messages, i, timestampsMs[i] ?? 0)
    return { records: writer.finish(compression), count: to - from }
  })
}
