import type { Logger } from '../log.ts'
import type { Clock } from '../runtime/clock.ts'
import type { PendingBatch } from './pending-batch.ts'

/** A transaction with more dead letters, or more of their bytes, would hold its locks for too long. */
const maxDeadLetters = 10_000
const maxDeadLetterBytes = 8 * 1024 * 1024
/** How many rows, in batch sizes, may be pending while a commit is in flight; this limits a worker's memory. */
const roomFactor = 4
const leastRoomRows = 40_000
/**
 * When nearly every message needs its own row, waiting for more messages saves nothing, so fewer rows may be pending.
 */
const floodRoomRows = 10_000
const floodMessagesPerRow = 2
const floodLoggedEveryMs = 60_000

export interface PendingLimitsOptions {
  /** A batch is full with this many rows. */
  readonly batchSize: number
  /**
   * How many rows may be pending while a commit is in flight.
   *
   * @defaultValue 40,000, or four times the batch size; a quarter in a flood
   */
  readonly maxPendingRows?: number
  readonly log: Logger
  readonly clock: Clock
}

type Amounts = Pick<PendingBatch, 'rowCount' | 'mergedCount' | 'letterCount' | 'letterBytes'>

/** Decides when a batch is full, and when fetching must wait for the database. */
export class PendingLimits {
  readonly #options: PendingLimitsOptions
  readonly #maxRows: number
  #floodWaits = 0
  #floodLoggedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: PendingLimitsOptions) {
    this.#options = options
    this.#maxRows = options.maxPendingRows ?? Math.max(leastRoomRows, roomFactor * options.batchSize)
  }

  /** How often records had to wait for the limit of pending rows: there are very many symbols, or windows. */
  get floodWaits(): number {
    return this.#floodWaits
  }

  /** Whether to commit without waiting for more records. */
  isFull({ rowCount, letterCount, letterBytes }: Amounts): boolean {
    return rowCount >= this.#options.batchSize || letterCount >= maxDeadLetters || letterBytes >= maxDeadLetterBytes
  }

  /** Whether more records may join the batch. */
  hasRoom(batch: Amounts): boolean {
    return (
      batch.rowCount < this.#maxRowsNow(batch) &&
      batch.letterCount < 2 * maxDeadLetters &&
      batch.letterBytes < 2 * maxDeadLetterBytes
    )
  }

  /** Counts and logs that records had to wait for the limit of pending rows; logged at most once a minute. */
  recordsDeferred(batch: Amounts): void {
    const { rowCount } = batch
    if (rowCount < this.#maxRowsNow(batch)) return
    this.#floodWaits += 1
    const nowMs = this.#options.clock.now()
    if (nowMs - this.#floodLoggedAtMs < floodLoggedEveryMs) return
    this.#floodLoggedAtMs = nowMs
    this.#options.log.warn(
      `very many symbols or windows at once: ${rowCount} rows wait for the database, and more are read as it takes them`,
    )
  }

  #maxRowsNow(batch: Amounts): number {
    const { rowCount } = batch
    const flood = Math.max(this.#options.batchSize, floodRoomRows)
    const isFlood = rowCount >= flood && batch.mergedCount < floodMessagesPerRow * rowCount
    return isFlood ? Math.min(flood, this.#maxRows) : this.#maxRows
  }
}
