import {
  attributesAt,
  batchHeaderBytes,
  controlBit,
  producerIdAt,
  recordCountAt,
  transactionalBit,
} from './batch-header.ts'
import { ByteReader, int64At } from './byte-reader.ts'
import { RecordReader } from './record-reader.ts'

/** An aborted transaction: its records from this offset to its end marker are not messages. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/**
 * Decides which batches are visible under read_committed. The broker lists the aborted transactions in the range; a
 * batch of such a producer, from the transaction's first offset to its abort marker, is not visible. Source: Java
 * client, CompletedFetch.nextFetchedRecord.
 */
export class AbortedTransactions {
  readonly #ahead: AbortedTransaction[]
  readonly #open = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Whether the records of this batch are messages. Also updates the state of the batch's transaction. */
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
  const reader = new RecordReader(buffer, at + batchHeaderBytes, end)
  reader.read()
  return reader.keyStart >= 0 && new ByteReader(buffer, reader.keyStart + 2, reader.keyEnd).int16() === 0
}
