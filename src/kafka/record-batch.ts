import { crc32c } from '@node-rs/crc32'
import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka'
import { ByteReader, corrupt, int64At } from './byte-reader.ts'

/**
 * Walks the record batches of one partition in a Fetch answer, in place: no object, slice or promise a record.
 * Format: https://kafka.apache.org/documentation/#recordbatch (magic 2 only: older ones are converted since Kafka 4).
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
}

// The header of a batch, and where its fields stand.
const lengthAt = 8
const magicAt = 16
const crcAt = 17
const attributesAt = 21
const lastOffsetDeltaAt = 23
const baseTimestampAt = 27
const maxTimestampAt = 35
const producerIdAt = 43
const recordCountAt = 57
const headerBytes = 61
/** Base offset and length, which the length does not count. */
const prefixBytes = 12

const compressionMask = 0x07
const logAppendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
/** No batch of ours unpacks to more; a broken or hostile one must not take the memory. */
const maxUnpackedBytes = 256 * 1024 * 1024

/** The offset after the last whole batch of the range; `from` when there is none. */
export function nextOffsetOf(range: RecordRange, from: number): number {
  let next = from
  for (let at = range.start; ; ) {
    const end = wholeBatchEnd(range, at)
    if (end < 0) return next
    next = Math.max(next, lastOffsetOf(range.buffer, at) + 1)
    at = end
  }
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
  for (let at = range.start; ; ) {
    const end = wholeBatchEnd(range, at)
    if (end < 0) return next
    const last = lastOffsetOf(range.buffer, at)
    if (last >= next) {
      checkBatch(range.buffer, at, end)
      const counts = transactions.admits(range.buffer, at, end, last)
      if (counts) next = visitBatch(range.buffer, at, end, next, visitor)
      if (last >= next) visitor.withoutMessage(last + 1 - next)
      next = last + 1
    } else {
      transactions.admits(range.buffer, at, end, last)
    }
    at = end
  }
}

/** Where the batch at `at` ends; -1 when the range holds no whole batch there (brokers cut answers anywhere). */
function wholeBatchEnd(range: RecordRange, at: number): number {
  if (at + headerBytes > range.end) return -1
  const end = at + prefixBytes + range.buffer.readInt32BE(at + lengthAt)
  return end <= range.end ? end : -1
}

function lastOffsetOf(buffer: Buffer, at: number): number {
  return int64At(buffer, at) + buffer.readInt32BE(at + lastOffsetDeltaAt)
}

function checkBatch(buffer: Buffer, at: number, end: number): void {
  if (buffer[at + magicAt] !== 2) throw corrupt(`a record batch of format ${buffer[at + magicAt]}`)
  if (end < at + headerBytes) throw corrupt('a record batch shorter than its header')
  const found = crc32c(buffer.subarray(at + attributesAt, end))
  if (found !== buffer.readUInt32BE(at + crcAt)) throw corrupt(`a wrong checksum at offset ${int64At(buffer, at)}`)
}

/** Returns the offset after the last record seen; offsets skipped on the way are reported. */
function visitBatch(buffer: Buffer, at: number, end: number, from: number, visitor: RecordVisitor): number {
  const attributes = buffer.readInt16BE(at + attributesAt)
  const baseOffset = int64At(buffer, at)
  // With the broker's clock, the batch's highest timestamp is every record's.
  const appendTime = attributes & logAppendTimeBit ? int64At(buffer, at + maxTimestampAt) : undefined
  const baseTimestamp = int64At(buffer, at + baseTimestampAt)
  const unpacked = unpack(buffer, at + headerBytes, end, attributes & compressionMask)
  const records = unpacked ?? buffer
  const reader = unpacked
    ? new RecordReader(unpacked, 0, unpacked.length)
    : new RecordReader(buffer, at + headerBytes, end)
  let next = from
  for (let count = buffer.readInt32BE(at + recordCountAt); count > 0; count--) {
    reader.read()
    const offset = baseOffset + reader.offsetDelta
    if (offset < next) continue
    if (offset > next) visitor.withoutMessage(offset - next)
    const timestampMs = appendTime ?? (baseTimestamp < 0 ? -1 : baseTimestamp + reader.timestampDelta)
    visitor.record(records, offset, timestampMs, reader.valueStart, reader.valueEnd, reader.keyStart, reader.keyEnd)
    next = offset + 1
  }
  return next
}

function unpack(buffer: Buffer, start: number, end: number, compression: number): Buffer | undefined {
  if (compression === 0) return undefined
  const algorithm = compressionsAlgorithmsByBitmask[String(compression)]
  if (!algorithm) throw corrupt(`a compression of unknown kind ${compression}`)
  try {
    const unpacked = algorithm.decompressSync(buffer.subarray(start, end))
    if (unpacked.length <= maxUnpackedBytes) return unpacked
  } catch (error) {
    throw corrupt(`a batch that does not unpack (${String(error)})`)
  }
  throw corrupt(`a batch that unpacks to more than ${maxUnpackedBytes} bytes`)
}

/** Reads one record after the other into its own fields; nothing is allocated. */
class RecordReader {
  readonly #buffer: Buffer
  readonly #end: number
  #at: number
  offsetDelta = 0
  timestampDelta = 0
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
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
      byte = this.#buffer[this.#at++] ?? 0
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
      byte = this.#buffer[this.#at++] ?? 0
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
