import { gzipSync, zstdCompressSync } from 'node:zlib'
import { crc32c } from '@node-rs/crc32'
import { compressionsAlgorithms } from '#kafka-protocol'
import type { RecordRange } from '../../../../src/kafka/records/record-range.ts'

/** Record batches put together byte by byte, apart from the writer and the reader of src. */
export interface RecordSpec {
  readonly offsetDelta: number
  readonly timestampDelta?: number | bigint
  readonly key?: Buffer | string | null
  readonly value?: Buffer | string | null
  readonly headers?: readonly (readonly [string, string | null])[]
}

export interface BatchSpec {
  readonly baseOffset: number
  /** @defaultValue 3 */
  readonly leaderEpoch?: number
  /** @defaultValue that of the last record */
  readonly lastOffsetDelta?: number
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly logAppendTime?: boolean
  readonly transactional?: boolean
  readonly control?: boolean
  readonly baseTimestamp?: number | bigint
  readonly maxTimestamp?: number | bigint
  readonly producerId?: number
  /** @defaultValue that of the records */
  readonly count?: number
  readonly records: readonly RecordSpec[]
  /** Behind the records, before packing. */
  readonly trailing?: Buffer
}

const codes = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

export function batchBytes(spec: BatchSpec): Buffer {
  const plain = Buffer.concat([...spec.records.map(recordBytes), spec.trailing ?? Buffer.alloc(0)])
  const body = pack(plain, spec.compression ?? 'none')
  const batch = Buffer.concat([Buffer.alloc(61), body])
  const lastOffsetDelta = spec.lastOffsetDelta ?? spec.records.at(-1)?.offsetDelta ?? 0
  batch.writeBigInt64BE(BigInt(spec.baseOffset), 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(spec.leaderEpoch ?? 3, 12)
  batch[16] = 2
  batch.writeInt16BE(attributesOf(spec), 21)
  batch.writeInt32BE(lastOffsetDelta, 23)
  batch.writeBigInt64BE(BigInt(spec.baseTimestamp ?? 1000), 27)
  batch.writeBigInt64BE(BigInt(spec.maxTimestamp ?? spec.baseTimestamp ?? 1000), 35)
  batch.writeBigInt64BE(BigInt(spec.producerId ?? -1), 43)
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(spec.count ?? spec.records.length, 57)
  return sealed(batch)
}

/** Writes the checksum of what stands there now. */
export function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** The end of a transaction. */
export function marker(baseOffset: number, producerId: number, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  const records = [{ offsetDelta: 0, key, value: Buffer.alloc(6) }]
  return batchBytes({ baseOffset, producerId, control: true, transactional: true, records })
}

export function rangeOf(...batches: readonly Buffer[]): RecordRange {
  const buffer = Buffer.concat(batches)
  return { buffer, start: 0, end: buffer.length }
}

function attributesOf(spec: BatchSpec): number {
  return (
    codes[spec.compression ?? 'none'] |
    (spec.logAppendTime ? 0x08 : 0) |
    (spec.transactional ? 0x10 : 0) |
    (spec.control ? 0x20 : 0)
  )
}

function pack(plain: Buffer, compression: keyof typeof codes): Buffer {
  if (compression === 'gzip') return gzipSync(plain)
  if (compression === 'zstd') return zstdCompressSync(plain)
  if (compression === 'none' || plain.length === 0) return plain
  return compressionsAlgorithms[compression].compressSync(plain)
}

function recordBytes(record: RecordSpec): Buffer {
  const headers = record.headers ?? []
  const body = Buffer.concat([
    Buffer.from([0]),
    zigzag(BigInt(record.timestampDelta ?? 0)),
    zigzag(BigInt(record.offsetDelta)),
    sized(record.key ?? null),
    sized(record.value ?? null),
    zigzag(BigInt(headers.length)),
    ...headers.flatMap(([name, value]) => [sized(name), sized(value)]),
  ])
  return Buffer.concat([zigzag(BigInt(body.length)), body])
}

function sized(bytes: Buffer | string | null): Buffer {
  if (bytes === null) return zigzag(-1n)
  return Buffer.concat([zigzag(BigInt(Buffer.byteLength(bytes))), Buffer.from(bytes)])
}

export function zigzag(value: bigint): Buffer {
  const bytes: number[] = []
  let raw = value < 0n ? -2n * value - 1n : 2n * value
  for (; raw >= 0x80n; raw >>= 7n) bytes.push(Number(raw & 0x7fn) | 0x80)
  bytes.push(Number(raw))
  return Buffer.from(bytes)
}
