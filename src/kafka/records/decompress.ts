import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { KpiError } from '../../errors.ts'
import {
  attributesAt,
  batchHeaderBytes,
  compressionMask,
  compressionOf,
  lengthAt,
  prefixBytes,
} from './batch-header.ts'
import { corrupt } from './byte-reader.ts'
import { decompressLz4 } from './lz4.ts'
import type { RecordRange } from './record-range.ts'
import { decompressSnappy } from './snappy.ts'

/** No valid batch is larger when decompressed. The limit protects the memory against broken or hostile batches. */
const defaultMaxBytes = 256 * 1024 * 1024

/**
 * Decompresses the records of a batch.
 *
 * @param compression - From the batch's attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd.
 * @param maxBytes - @defaultValue 256 MiB
 * @throws KpiError `KPI_KAFKA_CORRUPT`; even then it uses little more memory than `maxBytes`.
 */
export function decompress(compressed: Buffer, compression: number, maxBytes = defaultMaxBytes): Buffer {
  try {
    switch (compression) {
      case 1:
        return gunzipSync(compressed, { maxOutputLength: maxBytes })
      case 2:
        return decompressSnappy(compressed, maxBytes)
      case 3:
        return decompressLz4(compressed, maxBytes)
      case 4:
        return zstdDecompressSync(compressed, { maxOutputLength: maxBytes })
    }
  } catch (error) {
    if (error instanceof KpiError) throw error
    throw corrupt(`a batch that cannot be decompressed (${String(error)})`)
  }
  throw corrupt(`a batch of unknown compression ${compression}`)
}

/**
 * Returns the batch from `at` to `end` as if it had not been compressed, in two parts: its header, which keeps the
 * checksum of the compressed batch, and its records.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT`.
 */
export function decompressBatch({ buffer }: RecordRange, at: number, end: number): readonly [Buffer, Buffer] {
  const header = Buffer.from(buffer.subarray(at, at + batchHeaderBytes))
  const compression = compressionOf(buffer, at)
  const found = buffer.subarray(at + batchHeaderBytes, end)
  const records = compression === 0 ? found : decompress(found, compression)
  header.writeInt32BE(batchHeaderBytes - prefixBytes + records.length, lengthAt)
  header.writeInt16BE(header.readInt16BE(attributesAt) & ~compressionMask, attributesAt)
  return [header, records]
}
