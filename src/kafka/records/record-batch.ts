import { type AbortedTransaction, AbortedTransactions } from './aborted-transactions.ts'
import {
  attributesAt,
  baseTimestampAt,
  batchHeaderBytes,
  compareChecksum,
  compressionMask,
  lastOffsetDeltaAt,
  lastOffsetOf,
  leaderEpochAt,
  logAppendTimeBit,
  maxTimestampAt,
  recordCountAt,
} from './batch-header.ts'
import { corrupt, int64At } from './byte-reader.ts'
import { decompress } from './decompress.ts'
import { type RecordRange, wholeBatchEnd } from './record-range.ts'
import { RecordReader } from './record-reader.ts'

/**
 * Visits the record batches of one partition in a Fetch answer in place, without an object, slice or promise for each
 * record. Format: https://kafka.apache.org/documentation/#recordbatch (magic 2 only, which producers have written since
 * 2017).
 */
export interface RecordVisitor {
  /**
   * One record. The value is `buffer[valueStart, valueEnd)`, the key likewise; a start of -1 means null.
   * `timestampMs` is the record's Kafka timestamp, -1 when it has none.
   */
  record(
    buffer: Buffer,
    offset: number,
    timestampMs: number,
    valueStart: number,
    valueEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void
  /** Offsets that hold no message: compacted away, control records, aborted transactions. */
  withoutMessage(count: number): void
  /** Called at the start of a batch, with its first offset from `from` on and its leader epoch; −1 when it has none. */
  batch?(leaderEpoch: number, from: number): void
}

/**
 * Visits every record at or after `from`, in order. Every offset between `from` and the result is reported once: as a
 * record or as one without a message.
 *
 * @returns The next offset to read.
 * @throws KpiError `KPI_KAFKA_CORRUPT` on a wrong checksum or an inconsistent batch.
 */
export function walkRecords(
  range: RecordRange,
  from: number,
  aborted: readonly AbortedTransaction[],
  visitor: RecordVisitor,
): number {
  const transactions = new AbortedTransactions(aborted)
  let next = from
  let previousLast = -1
  for (let at = range.start; ; ) {
    const end = wholeBatchEnd(range, at)
    if (end < 0) return next
    const last = lastOffsetOf(range.buffer, at)
    checkOrder(range.buffer, at, previousLast)
    if (!range.isVerified) compareChecksum(range.buffer, at, end)
    const counts = transactions.admits(range.buffer, at, end, last)
    if (last >= next) {
      visitor.batch?.(range.buffer.readInt32BE(at + leaderEpochAt), next)
      if (counts) next = visitBatch(range.buffer, at, end, next, visitor)
      if (last >= next) visitor.withoutMessage(last + 1 - next)
      next = last + 1
    }
    previousLast = last
    at = end
  }
}

function checkOrder(buffer: Buffer, at: number, previousLast: number): void {
  const baseOffset = int64At(buffer, at)
  if (baseOffset <= previousLast) throw corrupt(`a batch at offset ${baseOffset} after one up to ${previousLast}`)
}

/** Returns the offset after the last record of the batch; offsets without a message are reported. */
function visitBatch(buffer: Buffer, at: number, end: number, from: number, visitor: RecordVisitor): number {
  let count = buffer.readInt32BE(at + recordCountAt)
  if (count < 0) throw corrupt(`a record batch of ${count} records`)
  if (count === 0) return from // all records were compacted away
  const attributes = buffer.readInt16BE(at + attributesAt)
  const baseOffset = int64At(buffer, at)
  const lastDelta = buffer.readInt32BE(at + lastOffsetDeltaAt)
  // With LogAppendTime, every record has the batch's maximum timestamp.
  const appendTime = attributes & logAppendTimeBit ? int64At(buffer, at + maxTimestampAt) : undefined
  const baseTimestamp = int64At(buffer, at + baseTimestampAt)
  const reader = recordReader(buffer, at + batchHeaderBytes, end, attributes & compressionMask)
  let next = from
  let delta = -1
  for (; count > 0; count--) {
    reader.read()
    if (reader.offsetDelta <= delta || reader.offsetDelta > lastDelta) throw corrupt('records out of order')
    delta = reader.offsetDelta
    const offset = baseOffset + delta
    if (offset < next) continue
    if (offset > next) visitor.withoutMessage(offset - next)
    const timestampMs = Math.max(-1, appendTime ?? baseTimestamp + reader.timestampDelta)
    const { valueStart, valueEnd, keyStart, keyEnd } = reader
    visitor.record(reader.buffer, offset, timestampMs, valueStart, valueEnd, keyStart, keyEnd)
    next = offset + 1
  }
  if (!reader.atEnd) throw corrupt('a record batch with more than its records')
  return next
}

function recordReader(buffer: Buffer, start: number, end: number, compression: number): RecordReader {
  if (compression === 0) return new RecordReader(buffer, start, end)
  const unpacked = decompress(buffer.subarray(start, end), compression)
  return new RecordReader(unpacked, 0, unpacked.length)
}
