import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import { DeferredRecords, splitOffBatch } from './deferred-records.ts'
import { PendingBatch, type ReductionOptions } from './pending-batch.ts'
import { PendingLimits, type PendingLimitsOptions } from './pending-limits.ts'

export interface IntakeOptions extends PendingLimitsOptions {
  readonly reduction: ReductionOptions
}

/**
 * Reduces a lane's fetched records into its pending batch, as far as the limits allow, and keeps the rest for later.
 */
export class Intake {
  /** The batch that the next commit takes. */
  readonly batch: PendingBatch
  readonly #limits: PendingLimits
  readonly #deferred = new DeferredRecords()

  constructor(options: IntakeOptions) {
    this.batch = new PendingBatch(options.reduction, options.clock.wallMs)
    this.#limits = new PendingLimits(options)
  }

  /** Whether the batch is committed without waiting for more. */
  get isFull(): boolean {
    return this.#limits.isFull(this.batch)
  }

  /** Whether more records may join the batch. */
  get hasRoom(): boolean {
    return this.#limits.hasRoom(this.batch)
  }

  /** Whether records wait for room in the batch. */
  get hasDeferred(): boolean {
    return !this.#deferred.isEmpty
  }

  get floodWaits(): number {
    return this.#limits.floodWaits
  }

  /** Reduces records immediately, or as soon as there is room. @throws KpiError `KPI_KAFKA_CORRUPT` */
  add(fetched: FetchedRecords): void {
    if (this.#deferred.isEmpty) this.#reduce(fetched, (rest) => this.#deferred.add(rest))
    else this.#deferred.add(fetched)
  }

  /** Reduces deferred records, after the batch was taken. @throws KpiError `KPI_KAFKA_CORRUPT` */
  addDeferred(): void {
    while (this.hasRoom) {
      const fetched = this.#deferred.shift()
      if (fetched === undefined) return
      this.#reduce(fetched, (rest) => this.#deferred.putBack(rest))
    }
  }

  /** Discards these partitions' deferred records: the next reader starts at their positions in the database. */
  forgetDeferred(partitions: readonly number[]): void {
    this.#deferred.forget(partitions)
  }

  /** Discards everything pending, and closes all partitions. */
  discard(): void {
    this.batch.reset()
    this.#deferred.clear()
  }

  /** Reduces one record batch at a time while there is room, since each message of an answer may need its own row. */
  #reduce(fetched: FetchedRecords, defer: (rest: FetchedRecords) => void): void {
    for (let rest = fetched; ; ) {
      const split = splitOffBatch(rest)
      this.batch.reduce(split?.first ?? rest)
      if (split === undefined) return
      rest = split.rest
      if (this.hasRoom) continue
      this.#limits.recordsDeferred(this.batch)
      defer(rest)
      return
    }
  }
}
