import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import { int64At } from '../kafka/records/byte-reader.ts'
import { nextOffsetOf, wholeBatchEnd } from '../kafka/records/record-range.ts'

/**
 * Fetched records that are not reduced yet, because as many rows are pending as may be: in order, and copied, since their
 * buffer is soon used again. Nothing more is fetched meanwhile, so they are at most the answers that were on their way.
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

  /** The first of them, which are not deferred any more. */
  shift(): FetchedRecords | undefined {
    return this.#waiting.shift()
  }

  /** Behind others of a piece that {@link shift} gave. */
  putBack(fetched: FetchedRecords): void {
    this.#waiting.unshift(fetched)
  }

  /** Whoever reads these partitions next begins where the database says. */
  forget(partitions: readonly number[]): void {
    this.#waiting = this.#waiting.filter(({ partition }) => !partitions.includes(partition))
  }

  clear(): void {
    this.#waiting = []
  }
}

/**
 * Takes the first record batch off an answer.
 *
 * @returns It, and the rest; undefined where there is no rest, or where it needs the whole answer: which records of a
 *   transaction count is told for all of them.
 */
export function splitOffBatch(fetched: FetchedRecords): { first: FetchedRecords; rest: FetchedRecords } | undefined {
  const { range, from, aborted } = fetched
  if (aborted.length > 0) return undefined
  const end = wholeBatchEnd(range, range.start)
  if (end < 0 || end >= range.end) return undefined
  const firstRange = { ...range, end }
  // Out of order it is corrupt, which whoever walks both will say.
  if (end + 8 <= range.end && int64At(range.buffer, end) < nextOffsetOf(firstRange, 0)) return undefined
  const next = nextOffsetOf(firstRange, from)
  return {
    first: { ...fetched, range: firstRange, next },
    rest: { ...fetched, range: { ...range, start: end }, from: next },
  }
}
