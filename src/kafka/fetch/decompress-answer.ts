import { compressionOf } from '../records/batch-header.ts'
import { decompressBatch } from '../records/decompress.ts'
import { nextOffsetOf, type RecordRange, wholeBatchEnd } from '../records/record-range.ts'
import { type FetchBuffers, release } from './fetch-buffers.ts'
import type { FetchedRecords } from './partition-fetch.ts'

/** The size of one piece: the same as the largest usual uncompressed answer. */
const pieceBytes = 8 * 1024 * 1024
/** A typical compression ratio for data that compresses well. */
const usualRatio = 8

/**
 * Decompresses the records of an answer. The decompressed size of an answer is not known in advance, so it is returned
 * in pieces that each fit into one of the buffers. Uncompressed records are not copied. Neither are records with
 * aborted transactions, because Kafka lists these for all of a partition's records in the answer.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT`.
 */
export function* decompressedPieces<Records extends FetchedRecords>(
  answer: readonly Records[],
  memory: FetchBuffers,
): Generator<Records[]> {
  let piece: Records[] = []
  let room: Buffer = Buffer.alloc(0)
  let used = 0
  for (const fetched of answer) {
    if (!hasCompressed(fetched)) {
      piece.push(fetched)
      continue
    }
    const { range } = fetched
    let begin = used
    let { from } = fetched
    const finish = () => {
      const done: RecordRange = { buffer: room, start: begin, end: used, isVerified: true }
      const next = nextOffsetOf(done, from)
      piece.push({ ...fetched, range: done, from, next })
      from = next
    }
    for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
      const parts = decompressBatch(range, at, end)
      const size = parts[0].length + parts[1].length
      if (used + size > room.length) {
        if (used > begin) finish()
        if (piece.length > 0) yield piece
        piece = []
        room = memory.take(Math.max(size, Math.min(pieceBytes, usualRatio * (range.end - at))))
        used = begin = 0
      }
      for (const part of parts) {
        room.set(part, used)
        used += part.length
      }
      // The buffer belongs to this batch alone: only smaller buffers can be part of Node's buffer pool.
      if (compressionOf(range.buffer, at) !== 0 && parts[1].length > Buffer.poolSize)
        release([new Uint8Array(parts[1].buffer)])
    }
    finish()
  }
  yield piece
}

function hasCompressed({ range, aborted }: FetchedRecords): boolean {
  if (aborted.length > 0) return false
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    if (compressionOf(range.buffer, at) !== 0) return true
  }
  return false
}
