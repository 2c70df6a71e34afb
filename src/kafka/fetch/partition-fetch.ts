import { divergenceOf, noEpoch, type ReadEpoch } from '../../kpi/leader-epochs.ts'
import { Backoff } from '../../runtime/backoff.ts'
import { brokerErrorName } from '../client/errors.ts'
import type { AbortedTransaction } from '../records/aborted-transactions.ts'
import { endOf, type RecordRange, verified } from '../records/record-range.ts'
import type { FetchedPartition } from './fetch-protocol.ts'

export interface FetchedRecords {
  readonly partition: number
  readonly range: RecordRange
  /** The requested offset, and the offset after the last whole batch of the answer. */
  readonly from: number
  readonly next: number
  readonly aborted: readonly AbortedTransaction[]
  /** The end of the log, including open transactions; lag is this minus the position. */
  readonly endOffset: number
  readonly logStartOffset: number
}

const failureLimits = { firstMs: 100, capMs: 2000 }
/** A change of leaders usually needs only one metadata refresh, so only a second failure in a row is logged. */
const toldFailures = 2

/** A partition, and the offset up to which it has been fetched. */
export class PartitionFetch {
  readonly partition: number
  offset: number
  /** Of the last batch before the offset. */
  epoch: ReadEpoch
  /** The earliest time of the next request, by the monotonic clock. */
  notBeforeMs = 0
  readonly #backoff = new Backoff(failureLimits)

  constructor(partition: number, offset: number, epoch = noEpoch) {
    this.partition = partition
    this.offset = offset
    this.epoch = epoch
  }

  /** @returns Whether the failure is to be logged. */
  failed(): boolean {
    this.notBeforeMs = performance.now() + this.#backoff.nextMs()
    return this.#backoff.attempt === toldFailures
  }

  /** @returns Whether a failure had been logged. */
  settled(): boolean {
    const wasTold = this.#backoff.attempt >= toldFailures
    this.#backoff.reset()
    return wasTold
  }
}

export interface Asked {
  readonly partitionFetch: PartitionFetch
  readonly offset: number
}

/** The range of offsets that a partition's log contains. */
export interface LogRange {
  readonly startOffset: number
  readonly endOffset: number
  /** Present when the log differs from the one that was read; the two agree up to this offset. */
  readonly agreesTo?: number
}

/** The partition's offset and epoch must be checked with its leader. */
export const doubtful = 'doubtful'

/**
 * Returns the records of one partition and advances its offset behind them; or the log's range, when the log differs
 * from the one that was read; or the reason why there are no records.
 */
export function takeRecords(
  { partitionFetch, offset }: Asked,
  found: FetchedPartition,
): FetchedRecords | LogRange | string {
  if (found.errorCode !== 0) {
    const name = brokerErrorName(found.errorCode)
    return name === 'OFFSET_OUT_OF_RANGE' ? doubtful : name
  }
  const { partition, aborted, highWatermark: endOffset, logStartOffset } = found
  if (found.diverging) {
    const divergence = divergenceOf({ ...partitionFetch.epoch, nextOffset: offset }, found.diverging)
    if (divergence === undefined) return 'a log that differs from what was read, and an epoch that fits it'
    return { startOffset: logStartOffset, endOffset, agreesTo: divergence.agreesTo }
  }
  const range = verified(found.records)
  const { next, epoch, isLower } = endOf(range, offset, partitionFetch.epoch)
  if (isLower) return doubtful
  if (next === offset && range.end > range.start) return 'an answer without a whole record batch'
  partitionFetch.offset = next
  partitionFetch.epoch = epoch
  return { partition, range, from: offset, next, aborted, endOffset, logStartOffset }
}

export function isDue(partitionFetch: PartitionFetch): boolean {
  return partitionFetch.notBeforeMs <= performance.now()
}

/** The partition numbers as text, for log lines. */
export function listOf(partitionFetches: readonly PartitionFetch[]): string {
  const partitions = partitionFetches.map(({ partition }) => partition).sort((a, b) => a - b)
  return partitions.length === 1 ? `partition ${partitions[0]} is` : `partitions ${partitions.join(', ')} are`
}
