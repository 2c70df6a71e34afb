import { assert } from '../errors.ts'
import { noEpoch, type ReadEpoch } from '../kpi/leader-epochs.ts'
import type { Position } from '../store/positions/positions.ts'
import type { PartitionAdvance } from '../store/windows/commit.ts'

/** How far a partition has been reduced beyond its position in the database. */
export class PartitionProgress {
  readonly partition: number
  /** The start of the pending batch: the position in the database once everything before it is committed. */
  #fromOffset: number
  /** The first offset that has not been reduced. */
  nextOffset: number
  /** The highest accepted timestamp below `nextOffset`, in microseconds; −1 for none. */
  watermarkUs: number
  /** The epoch of the last record batch below `nextOffset`. */
  #epoch: ReadEpoch
  merged = 0
  rejected = 0
  withoutMessage = 0
  /** The end of the log in the last answer, including open transactions; −1 before the first answer. */
  endOffset = -1

  constructor(position: Position) {
    this.partition = position.partition
    this.#fromOffset = position.nextOffset
    this.nextOffset = position.nextOffset
    this.watermarkUs = position.watermarkUs
    this.#epoch = { leaderEpoch: position.leaderEpoch, epochFrom: position.epochFrom }
  }

  /** Records the leader epoch of a record batch that begins at this offset. */
  noteEpoch(leaderEpoch: number, from: number): void {
    if (leaderEpoch === this.#epoch.leaderEpoch) return
    this.#epoch = leaderEpoch < 0 ? noEpoch : { leaderEpoch, epochFrom: from }
  }

  get hasPending(): boolean {
    return this.nextOffset > this.#fromOffset
  }

  /** The number of offsets in the log that have not been reduced. */
  get unreadOffsets(): number {
    return Math.max(0, this.endOffset - this.nextOffset)
  }

  /** Returns the advance of the pending batch; the next batch starts here. */
  take(): PartitionAdvance {
    const { partition, nextOffset, watermarkUs, merged, rejected, withoutMessage } = this
    const expectedOffset = this.#fromOffset
    assert(nextOffset - expectedOffset === merged + rejected + withoutMessage, 'each offset counted once')
    this.#fromOffset = nextOffset
    this.merged = 0
    this.rejected = 0
    this.withoutMessage = 0
    return { partition, expectedOffset, nextOffset, watermarkUs, merged, rejected, withoutMessage, epoch: this.#epoch }
  }
}
