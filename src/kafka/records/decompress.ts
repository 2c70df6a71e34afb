import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { KpiError } from '../../errors.ts'
import { corrupt } from './byte-reader.ts'
import { unpackLz4 } from './lz4.ts'
import { unpackSnappy } from './snappy.ts'

/** No sane batch unpacks to more; a broken or hostile one must not take the memory. */
const defaultMaxBytes = 256 * 1024 * 1024

/**
 * Unpacks the records of a batch.
 *
 * @param compression - As the batch's attributes say: 1 gzip, 2 snappy, 3 lz4, 4 zstd.
 * @param maxBytes - @defaultValue 256 MiB
 * @throws KpiError `KPI_KAFKA_CORRUPT`; never takes much more memory than `maxBytes` to find that out.
 */
export function decompress(packed: Buffer, compression: number, maxBytes = defaultMaxBytes): Buffer {
  try {
    switch (compression) {
      case 1:
        return gunzipSync(packed, { maxOutputLength: maxBytes })
      case 2:
        return unpackSnappy(packed, maxBytes)
      case 3:
        return unpackLz4(packed, maxBytes)
      case 4:
        return zstdDecompressSync(packed, { maxOutputLength: maxBytes })
    }
  } catch (error) {
    if (error instanceof KpiError) throw error
    throw corrupt(`a batch that cannot be decompressed (${String(error)})`)
  }
  throw corrupt(`a batch of unknown compression ${compression}`)
}
