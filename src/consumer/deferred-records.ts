import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import { int64At } from '../kafka/records/byte-reader.ts'
import { nextOffsetOf, wholeBatchEnd } from '../kafka/records/record-range.ts'

/**
 * Fetched records that are not reduced yet because the limit of pending rows is reached. They are in order, and copied
 * since their buffer is soon reused. Nothing more is fetched meanwhile, so they are at most the answers that were in
 * flight.
 */
export class DeferredRecords {
  #waiting: FetchedRecords[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(fetched: FetchedRecords): void {
    const { buffer, start, end } = fetched.range
    const bytes = Buffer.from(buffer.subarray(start, end))
    this.#waiting.push({ ...fetched, range: { ...fetched.range, buffer: bytes, start: 0, end: bytes.length } })
  }

  /** Removes and returns the first of them. */
  shift(): FetchedRecords | undefined {
    return this.#waiting.shift()
  }

  /** Puts the rest of an answer returned by {@link shift} back at the front. */
  putBack(fetched: FetchedRecords): void {
    this.#waiting.unshift(fetched)
  }

  /** Discards these partitions' records: the next reader starts at their positions in the database. */
  forget(partitions: readonly number[]): void {
    this.#waiting = this.#waiting.filter(({ partition }) => !partitions.includes(partition))
  }

  clear(): void {
    this.#waiting = []
  }
}

/**
 * Splits the first record batch off an answer.
 *
 * @returns The batch and the rest; undefined when there is no rest, or when the answer cannot be split: its list of
 *   aborted transactions applies to all of its records.
 */
export function splitOffBatch(fetched: FetchedRecords): { first: FetchedRecords; rest: FetchedRecords } | undefined {
  const { range, from, aborted } = fetched
  if (aborted.length > 0) return undefined
  const end = wholeBatchEnd(range, range.start)
  if (end < 0 || end >= range.end) return undefined
  const firstRange = { ...range, end }
  // Offsets out of order mean a corrupt answer. It is not split, so that walking all of it reports the error.
  if (end + 8 <= range.end && int64At(range.buffer, end) < nextOffsetOf(firstRange, 0)) return undefined
  const next = nextOffsetOf(firstRange, from)
  return {
    first: { ...fetched, range: firstRange, next },
    rest: { ...fetched, range: { ...range, start: end }, from: next },
  }
}
