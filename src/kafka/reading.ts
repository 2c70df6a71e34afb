import { Backoff } from './backoff.ts'
import { brokerErrorName } from './errors.ts'
import type { FetchedPartition } from './fetch-protocol.ts'
import { type AbortedTransaction, nextOffsetOf, type RecordRange, verified } from './record-batch.ts'

export interface FetchedRecords {
  readonly partition: number
  readonly range: RecordRange
  /** The offset asked for, and the one after the last whole batch of the answer. */
  readonly from: number
  readonly next: number
  readonly aborted: readonly AbortedTransaction[]
  /** The end of the log, undecided transactions included; lag is this minus the position. */
  readonly endOffset: number
  readonly logStartOffset: number
}

const failureLimits = { firstMs: 100, capMs: 2000 }
/** A change of leaders is over after one look at the metadata; what goes on failing is told. */
const toldFailures = 2

/** A partition, and how far it has been asked for. */
export class Reading {
  readonly partition: number
  offset: number
  /** Not asked for before; by the monotonic clock. */
  notBeforeMs = 0
  readonly #backoff = new Backoff(failureLimits)

  constructor(partition: number, offset: number) {
    this.partition = partition
    this.offset = offset
  }

  /** @returns Whether it is time to tell. */
  failed(): boolean {
    this.notBeforeMs = performance.now() + this.#backoff.nextMs()
    return this.#backoff.attempt === toldFailures
  }

  /** @returns Whether a failure had been told. */
  settled(): boolean {
    const wasTold = this.#backoff.attempt >= toldFailures
    this.#backoff.reset()
    return wasTold
  }
}

export interface Asked {
  readonly reading: Reading
  readonly offset: number
}

/** The records of one partition, its offset moved behind them; or why there are none. */
export function takeRecords({ reading, offset }: Asked, found: FetchedPartition): FetchedRecords | string {
  if (found.errorCode !== 0) return brokerErrorName(found.errorCode)
  const { partition, aborted, highWatermark: endOffset, logStartOffset } = found
  const range = verified(found.records)
  const next = nextOffsetOf(range, offset)
  if (next === offset && range.end > range.start) return 'an answer without a whole record batch'
  reading.offset = next
  return { partition, range, from: offset, next, aborted, endOffset, logStartOffset }
}

export function isDue(reading: Reading): boolean {
  return reading.notBeforeMs <= performance.now()
}

/** For the log. */
export function listOf(readings: readonly Reading[]): string {
  const partitions = readings.map(({ partition }) => partition).sort((a, b) => a - b)
  return partitions.length === 1 ? `partition ${partitions[0]} is` : `partitions ${partitions.join(', ')} are`
}
