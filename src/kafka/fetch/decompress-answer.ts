import { isPacked, nextOffsetOf, type RecordRange, unpackBatch, wholeBatchEnd } from '../records/record-batch.ts'
import { type FetchBuffers, release } from './fetch-buffers.ts'
import type { FetchedRecords } from './partition-fetch.ts'

/** What is handed over at once: as much as an answer has without packing. */
const pieceBytes = 8 * 1024 * 1024
/** What packing usually saves, when there is much to save. */
const usualRatio = 8

/**
 * The records of an answer, unpacked: in pieces that each fit into one turn of the memory, since nobody knows before how
 * much an answer unpacks to. What is not packed stays where it is, and so does what belongs to aborted transactions,
 * which are told for the whole of a partition's records.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT`.
 */
export function* unpackedPieces<Records extends FetchedRecords>(
  answer: readonly Records[],
  memory: FetchBuffers,
): Generator<Records[]> {
  let piece: Records[] = []
  let room: Buffer = Buffer.alloc(0)
  let used = 0
  for (const fetched of answer) {
    if (!hasPacked(fetched)) {
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
      const parts = unpackBatch(range, at, end)
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
      // Made for this batch alone: only smaller ones may stand in a pool.
      if (isPacked(range, at) && parts[1].length > Buffer.poolSize) release([new Uint8Array(parts[1].buffer)])
    }
    finish()
  }
  yield piece
}

function hasPacked({ range, aborted }: FetchedRecords): boolean {
  if (aborted.length > 0) return false
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    if (isPacked(range, at)) return true
  }
  return false
}
