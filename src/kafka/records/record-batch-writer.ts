import { crc32c } from '@node-rs/crc32'
import { compressionsAlgorithms } from '#kafka-protocol'
import { assert } from '../../errors.ts'
import {
  attributesAt,
  baseSequenceAt,
  baseTimestampAt,
  batchHeaderBytes,
  crcAt,
  lastOffsetDeltaAt,
  leaderEpochAt,
  lengthAt,
  magicAt,
  maxTimestampAt,
  prefixBytes,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
} from './batch-header.ts'
import type { MessageBatch } from './message-batch.ts'

/**
 * Writes one record batch of format 2 directly into a buffer that grows up to a limit. Format:
 * https://kafka.apache.org/documentation/#recordbatch
 */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Compression = (typeof compressions)[number]

/** Identifies a batch of an idempotent producer to the broker. */
export interface BatchIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** The sequence number of the first record. */
  readonly baseSequence: number
}

/** The maximum size of length, attributes, two deltas, key length, value length and header count. */
const maxRecordOverheadBytes = 5 + 1 + 10 + 5 + 5 + 5 + 1
const firstCapacityBytes = 16 * 1024

export class RecordBatchWriter {
  readonly #maxBytes: number
  #buffer: Buffer
  #at = batchHeaderBytes
  #count = 0
  #baseTimestampMs = 0
  #maxTimestampMs = 0

  /**
   * @param maxBytes - The limit of the batch. Only a single record that is too large for any batch may exceed it.
   * @param buffer - The buffer to write to, at most `maxBytes` long; its content does not matter.
   */
  constructor(maxBytes: number, buffer?: Buffer) {
    this.#maxBytes = maxBytes
    this.#buffer = buffer ?? Buffer.allocUnsafeSlow(Math.min(firstCapacityBytes, maxBytes))
  }

  get count(): number {
    return this.#count
  }

  /** Size so far in bytes, before compression. */
  get size(): number {
    return this.#at
  }

  /** Size of its memory in bytes. */
  get capacity(): number {
    return this.#buffer.length
  }

  /** Adds one record. @returns false without taking it when the batch is full. */
  append(messages: MessageBatch, index: number, timestampMs: number): boolean {
    const key = messages.key(index).bytes
    const valueStart = messages.valueStart(index)
    const valueEnd = messages.valueEnd(index)
    const end = messages.end(index)
    const most = maxRecordOverheadBytes + key.length + (end - valueStart)
    if (this.#at + most > this.#buffer.length && !this.#grow(this.#at + most)) return false
    if (this.#count === 0) {
      this.#baseTimestampMs = timestampMs
      this.#maxTimestampMs = timestampMs
    } else if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs
    const timestampDelta = timestampMs - this.#baseTimestampMs
    const valueBytes = valueEnd - valueStart
    const noValue = valueBytes === 0
    const bodyBytes =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(this.#count) +
      varintBytes(key.length) +
      key.length +
      varintBytes(noValue ? -1 : valueBytes) +
      valueBytes +
      (end > valueEnd ? end - valueEnd : 1)
    const buffer = this.#buffer
    let at = writeVarint(buffer, this.#at, bodyBytes)
    buffer[at++] = 0 // attributes: unused in format 2
    at = writeVarlong(buffer, at, timestampDelta)
    at = writeVarint(buffer, at, this.#count)
    at = writeVarint(buffer, at, key.length)
    // Keys are short, so a call would cost more than the copy.
    for (let i = 0; i < key.length; i++) buffer[at + i] = key[i] ?? 0
    at = writeVarint(buffer, at + key.length, noValue ? -1 : valueBytes)
    // Value and headers are adjacent both in the source and in the record.
    messages.bytes.copy(buffer, at, valueStart, end)
    at += end - valueStart
    if (end === valueEnd) buffer[at++] = 0
    this.#at = at
    this.#count += 1
    return true
  }

  /**
   * Returns the finished batch; the writer must not be used afterwards. Call `identifyBatch` before sending.
   *
   * @throws RangeError when the compressed batch does not fit a buffer.
   */
  finish(compression: Compression): Buffer {
    assert(this.#count > 0, 'a batch with records')
    const plain = this.#buffer.subarray(0, this.#at)
    if (compression === 'none') return this.#writeHeader(plain, 0)
    const algorithm = compressionsAlgorithms[compression]
    const packed = algorithm.compressSync(plain.subarray(batchHeaderBytes))
    return this.#writeHeader(Buffer.concat([plain.subarray(0, batchHeaderBytes), packed]), algorithm.bitmask)
  }

  #writeHeader(batch: Buffer, attributes: number): Buffer {
    batch.writeBigInt64BE(0n, 0) // base offset: assigned by the broker
    batch.writeInt32BE(batch.length - prefixBytes, lengthAt)
    batch.writeInt32BE(-1, leaderEpochAt) // partition leader epoch: set by the broker
    batch[magicAt] = 2
    batch.writeInt16BE(attributes, attributesAt)
    batch.writeInt32BE(this.#count - 1, lastOffsetDeltaAt)
    batch.writeBigInt64BE(BigInt(this.#baseTimestampMs), baseTimestampAt)
    batch.writeBigInt64BE(BigInt(this.#maxTimestampMs), maxTimestampAt)
    batch.writeInt32BE(this.#count, recordCountAt)
    return batch
  }

  #grow(needed: number): boolean {
    if (needed > this.#maxBytes && this.#count > 0) return false
    const wanted =
      needed > this.#maxBytes ? needed : Math.min(this.#maxBytes, Math.max(needed, 4 * this.#buffer.length))
    const grown = Buffer.allocUnsafeSlow(wanted)
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
    return true
  }
}

/** Writes producer and sequence into a finished batch, and the checksum that covers them. */
export function identifyBatch(batch: Buffer, identity: BatchIdentity): void {
  batch.writeBigInt64BE(identity.producerId, producerIdAt)
  batch.writeInt16BE(identity.producerEpoch, producerEpochAt)
  batch.writeInt32BE(identity.baseSequence, baseSequenceAt)
  batch.writeUInt32BE(crc32c(batch.subarray(attributesAt)), crcAt)
}

/** Zigzag, 32 bits. */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0
  let next = at
  while (raw >= 0x80) {
    buffer[next++] = (raw & 0x7f) | 0x80
    raw >>>= 7
  }
  buffer[next++] = raw
  return next
}

export function varintBytes(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0
  return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : raw < 0x200000 ? 3 : raw < 0x10000000 ? 4 : 5
}

/** Zigzag, up to 2^52 in magnitude. */
function writeVarlong(buffer: Buffer, at: number, value: number): number {
  let raw = value < 0 ? -2 * value - 1 : 2 * value
  let next = at
  while (raw >= 0x80) {
    buffer[next++] = (raw % 0x80) | 0x80
    raw = Math.floor(raw / 0x80)
  }
  buffer[next++] = raw
  return next
}

function varlongBytes(value: number): number {
  let raw = value < 0 ? -2 * value - 1 : 2 * value
  let bytes = 1
  for (; raw >= 0x80; bytes++) raw = Math.floor(raw / 0x80)
  return bytes
}
