import { crc32c } from '@node-rs/crc32'
import { noEpoch, type ReadEpoch } from '../../kpi/leader-epochs.ts'
import { ByteReader, corrupt, int64At } from './byte-reader.ts'
import { decompress } from './decompress.ts'

/**
 * Walks the record batches of one partition in a Fetch answer, in place: no object, slice or promise a record.
 * Format: https://kafka.apache.org/documentation/#recordbatch (magic 2 only: what producers have written since 2017).
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
  /** A batch with offsets from `from` on begins, which was appended under this leader epoch; −1 where it has none. */
  batch?(leaderEpoch: number, from: number): void
}

/** A transaction that was aborted: its records from here on, until its end marker, do not count. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface RecordRange {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** Whether its checksums were compared already, by {@link verified}. */
  readonly isVerified?: boolean
}

// The header of a batch, and where its fields stand.
const lengthAt = 8
const leaderEpochAt = 12
const magicAt = 16
const crcAt = 17
const attributesAt = 21
const lastOffsetDeltaAt = 23
const baseTimestampAt = 27
const maxTimestampAt = 35
const producerIdAt = 43
const producerEpochAt = 51
const baseSequenceAt = 53
const recordCountAt = 57
const headerBytes = 61
/** Base offset and length, which the length does not count. */
const prefixBytes = 12

const compressionMask = 0x07
const logAppendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20

/**
 * The offset after the last whole batch of the range; `from` when there is none.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT` on a batch header that cannot be. The rest is for {@link walkRecords} to check.
 */
export function nextOffsetOf(range: RecordRange, from: number): number {
  let next = from
  for (let at = range.start; ; ) {
    const end = wholeBatchEnd(range, at)
    if (end < 0) return next
    next = Math.max(next, lastOffsetOf(range.buffer, at) + 1)
    at = end
  }
}

/** Whether the broker's clock gave the timestamps of the first batch, and not its producer. */
export function isAppendTime(range: RecordRange): boolean {
  if (wholeBatchEnd(range, range.start) < 0) return false
  return (range.buffer.readInt16BE(range.start + attributesAt) & logAppendTimeBit) !== 0
}

/**
 * Like {@link nextOffsetOf}, with the leader epoch of the last whole batch.
 *
 * @param epoch - Of the last batch before `from`.
 * @returns `isLower` when a batch has a lower epoch than one before it: this is not the log that was read before.
 */
export function endOf(
  range: RecordRange,
  from: number,
  epoch: ReadEpoch,
): { readonly next: number; readonly epoch: ReadEpoch; readonly isLower: boolean } {
  let next = from
  let { leaderEpoch, epochFrom } = epoch
  let isLower = false
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    const last = lastOffsetOf(range.buffer, at)
    if (last < next) continue
    const found = range.buffer.readInt32BE(at + leaderEpochAt)
    if (found !== leaderEpoch) {
      if (found >= 0 && found < leaderEpoch) isLower = true
      leaderEpoch = found
      epochFrom = next
    }
    next = last + 1
  }
  return { next, epoch: leaderEpoch < 0 ? noEpoch : { leaderEpoch, epochFrom }, isLower }
}

/**
 * The same range, the checksums of its whole batches compared.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT` on a wrong one.
 */
export function verified(range: RecordRange): RecordRange {
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    compareChecksum(range.buffer, at, end)
  }
  return { ...range, isVerified: true }
}

/**
 * Visits every record at or after `from`, in order, and counts every offset between `from` and the result once: as a
 * record or as one without a message.
 *
 * @returns The offset to go on from.
 * @throws KpiError `KPI_KAFKA_CORRUPT` on a wrong checksum or a batch that contradicts itself.
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

/** Under which producer id, epoch and sequence number the record at an offset was written; undefined without any. */
export function producerAt(
  range: RecordRange,
  offset: number,
): { producerId: bigint; epoch: number; sequence: number } | undefined {
  const { buffer } = range
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    if (lastOffsetOf(buffer, at) < offset) continue
    const delta = offset - int64At(buffer, at)
    const baseSequence = buffer.readInt32BE(at + baseSequenceAt)
    if (delta < 0 || baseSequence < 0) return undefined
    const producerId = buffer.readBigInt64BE(at + producerIdAt)
    const epoch = buffer.readInt16BE(at + producerEpochAt)
    return { producerId, epoch, sequence: (baseSequence + delta) % 2 ** 31 }
  }
  return undefined
}

/** Where the batch at `at` ends; -1 when the range holds no whole batch there (brokers cut answers anywhere). */
export function wholeBatchEnd({ buffer, end }: RecordRange, at: number): number {
  if (at + magicAt >= end) return -1
  // Every format has its number here.
  if (buffer[at + magicAt] !== 2) throw corrupt(`a record batch of format ${buffer[at + magicAt]}`)
  const length = buffer.readInt32BE(at + lengthAt)
  if (length < headerBytes - prefixBytes) throw corrupt('a record batch shorter than its header')
  const batchEnd = at + prefixBytes + length
  return batchEnd <= end ? batchEnd : -1
}

export function isPacked({ buffer }: RecordRange, at: number): boolean {
  return compressionOf(buffer, at) !== 0
}

/**
 * The batch from `at` to `end` as if it had not been packed, in two parts: its header, which keeps the checksum of the
 * packed batch, and its records.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT`.
 */
export function unpackBatch({ buffer }: RecordRange, at: number, end: number): readonly [Buffer, Buffer] {
  const header = Buffer.from(buffer.subarray(at, at + headerBytes))
  const compression = compressionOf(buffer, at)
  const found = buffer.subarray(at + headerBytes, end)
  const records = compression === 0 ? found : decompress(found, compression)
  header.writeInt32BE(headerBytes - prefixBytes + records.length, lengthAt)
  header.writeInt16BE(header.readInt16BE(attributesAt) & ~compressionMask, attributesAt)
  return [header, records]
}

function compressionOf(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + attributesAt) & compressionMask
}

function lastOffsetOf(buffer: Buffer, at: number): number {
  const baseOffset = int64At(buffer, at)
  const lastOffset = baseOffset + buffer.readInt32BE(at + lastOffsetDeltaAt)
  if (baseOffset < 0 || lastOffset < baseOffset || lastOffset >= Number.MAX_SAFE_INTEGER) {
    throw corrupt(`a record batch with the offsets ${baseOffset} to ${lastOffset}`)
  }
  return lastOffset
}

function checkOrder(buffer: Buffer, at: number, previousLast: number): void {
  const baseOffset = int64At(buffer, at)
  if (baseOffset <= previousLast) throw corrupt(`a batch at offset ${baseOffset} after one up to ${previousLast}`)
}

/** It covers all from the attributes on: not the base offset, which the broker gives. */
function compareChecksum(buffer: Buffer, at: number, end: number): void {
  const found = crc32c(buffer.subarray(at + attributesAt, end))
  if (found !== buffer.readUInt32BE(at + crcAt)) throw corrupt(`a wrong checksum at offset ${int64At(buffer, at)}`)
}

/** Returns the offset after the last record seen; offsets skipped on the way are reported. */
function visitBatch(buffer: Buffer, at: number, end: number, from: number, visitor: RecordVisitor): number {
  let count = buffer.readInt32BE(at + recordCountAt)
  if (count < 0) throw corrupt(`a record batch of ${count} records`)
  if (count === 0) return from // all compacted away
  const attributes = buffer.readInt16BE(at + attributesAt)
  const baseOffset = int64At(buffer, at)
  const lastDelta = buffer.readInt32BE(at + lastOffsetDeltaAt)
  // With the broker's clock, the batch's highest timestamp is every record's.
  const appendTime = attributes & logAppendTimeBit ? int64At(buffer, at + maxTimestampAt) : undefined
  const baseTimestamp = int64At(buffer, at + baseTimestampAt)
  const reader = recordReader(buffer, at + headerBytes, end, attributes & compressionMask)
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

/** Reads one record after the other into its own fields; nothing is allocated. */
class RecordReader {
  readonly buffer: Buffer
  readonly #end: number
  #at: number
  offsetDelta = 0
  timestampDelta = 0
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer
    this.#at = start
    this.#end = end
  }

  get atEnd(): boolean {
    return this.#at === this.#end
  }

  read(): void {
    const length = this.#varint()
    const end = this.#at + length
    if (length < 6 || end > this.#end) throw corrupt('a record that ends outside its batch')
    this.#at += 1 // attributes: unused in format 2
    this.timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()
    const keyLength = this.#varint()
    this.keyStart = keyLength < 0 ? -1 : this.#at
    this.#at += Math.max(keyLength, 0)
    this.keyEnd = this.#at
    const valueLength = this.#varint()
    this.valueStart = valueLength < 0 ? -1 : this.#at
    this.valueEnd = this.#at + Math.max(valueLength, 0)
    if (this.valueEnd > end) throw corrupt('a value that ends outside its record')
    this.#at = end // headers are for others
  }

  /** Zigzag, up to 32 bits. */
  #varint(): number {
    let raw = 0
    let shift = 0
    let byte: number
    do {
      byte = this.buffer[this.#at++] ?? 0
      raw |= (byte & 0x7f) << shift
      shift += 7
    } while (byte >= 0x80 && shift < 35)
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zigzag, up to 64 bits; exact up to 2^53. */
  #varlong(): number {
    let raw = 0
    let scale = 1
    let byte: number
    do {
      byte = this.buffer[this.#at++] ?? 0
      raw += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80 && scale < 2 ** 70)
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }
}

/**
 * Which batches count under read_committed. The broker lists the aborted transactions of the range; a batch of such a
 * producer, from the transaction's first offset to its abort marker, does not.
 * Source: Java client, CompletedFetch.nextFetchedRecord.
 */
class AbortedTransactions {
  readonly #ahead: AbortedTransaction[]
  readonly #open = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Whether the records of this batch are messages; also takes note of what it says about its transaction. */
  admits(buffer: Buffer, at: number, end: number, lastOffset: number): boolean {
    const attributes = buffer.readInt16BE(at + attributesAt)
    const producerId = int64At(buffer, at + producerIdAt)
    for (let next = this.#ahead.at(-1); next && next.firstOffset <= lastOffset; next = this.#ahead.at(-1)) {
      this.#open.add(next.producerId)
      this.#ahead.pop()
    }
    if (attributes & controlBit) {
      if (isAbortMarker(buffer, at, end)) this.#open.delete(producerId)
      return false
    }
    return !(attributes & transactionalBit && this.#open.has(producerId))
  }
}

/** A control record's key is version (int16) and type (int16): 0 is abort. */
function isAbortMarker(buffer: Buffer, at: number, end: number): boolean {
  if (buffer.readInt32BE(at + recordCountAt) === 0) return false
  const reader = new RecordReader(buffer, at + headerBytes, end)
  reader.read()
  return reader.keyStart >= 0 && new ByteReader(buffer, reader.keyStart + 2, reader.keyEnd).int16() === 0
}
