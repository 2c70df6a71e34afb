import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import { type RecordVisitor, walkRecords } from '../kafka/records/record-batch.ts'
import { MessageDecoder } from '../kpi/decode/message.ts'
import { PrecisionLosses, type SymbolLoss } from '../kpi/precision-losses.ts'
import { type PartialRow, Reducer } from '../kpi/reducer.ts'
import type { Position } from '../store/positions/positions.ts'
import type { DeadLetter, PartitionAdvance } from '../store/windows/commit.ts'
import { DeadLetterBuffer } from './dead-letter-buffer.ts'
import { PartitionProgress } from './partition-progress.ts'

/** How messages are decoded and reduced; the same for all workers that write to one database. */
export interface ReductionOptions {
  readonly windowSeconds: number
  readonly allowedLatenessSeconds: number
  readonly maxFutureSeconds: number
  readonly decimals: number
  readonly payloadsPerMinute: number
}

/** The content of one commit. */
export interface TakenBatch {
  readonly advances: readonly PartitionAdvance[]
  readonly rows: readonly PartialRow[]
  readonly letters: readonly DeadLetter[]
  /** Merged messages in which rounding changed a number by more than one ten-thousandth. */
  readonly losses: { readonly messages: number; readonly symbols: readonly SymbolLoss[] }
}

/** Reduces fetched records of some partitions into the batch that is committed next. */
export class PendingBatch implements RecordVisitor {
  readonly #decoder: MessageDecoder
  readonly #reducer: Reducer
  readonly #letters: DeadLetterBuffer
  readonly #losses = new PrecisionLosses()
  readonly #now: () => number
  readonly #partitions = new Map<number, PartitionProgress>()
  /** The partition whose records are being visited. */
  #current: PartitionProgress | undefined

  /** @param now - Wall clock in milliseconds, for records without a timestamp. */
  constructor(options: ReductionOptions, now: () => number) {
    this.#decoder = new MessageDecoder({ ...options, onPrecisionLost: (loss) => this.#losses.add(loss) })
    this.#reducer = new Reducer(options)
    this.#letters = new DeadLetterBuffer({ payloadsPerMinute: options.payloadsPerMinute, now })
    this.#now = now
  }

  get partitions(): ReadonlyMap<number, PartitionProgress> {
    return this.#partitions
  }

  get rowCount(): number {
    return this.#reducer.rowCount
  }

  /** The number of messages merged into the pending rows. */
  get mergedCount(): number {
    let count = 0
    for (const { merged } of this.#partitions.values()) count += merged
    return count
  }

  get letterCount(): number {
    return this.#letters.count
  }

  get letterBytes(): number {
    return this.#letters.bytes
  }

  get isEmpty(): boolean {
    for (const progress of this.#partitions.values()) if (progress.hasPending) return false
    return true
  }

  /** Starts reading a partition at this position. Call it only while nothing is pending for the partition. */
  open(position: Position): void {
    this.#partitions.set(position.partition, new PartitionProgress(position))
  }

  /** Call it only while nothing is pending for the partition. */
  close(partition: number): void {
    this.#partitions.delete(partition)
  }

  /**
   * Reduces records that continue their partition; ignores others, which remain from before a reset.
   *
   * @throws KpiError `KPI_KAFKA_CORRUPT`; nothing may be committed afterwards.
   */
  reduce(fetched: FetchedRecords): void {
    const progress = this.#partitions.get(fetched.partition)
    if (progress === undefined || progress.nextOffset !== fetched.from) return
    this.#current = progress
    progress.nextOffset = walkRecords(fetched.range, fetched.from, fetched.aborted, this)
    progress.endOffset = fetched.endOffset
  }

  record(
    buffer: Buffer,
    offset: number,
    timestampMs: number,
    valueStart: number,
    valueEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void {
    const progress = this.#current as PartitionProgress
    const decoder = this.#decoder
    const reason = decoder.decode(buffer, valueStart, valueEnd, timestampMs < 0 ? this.#now() : timestampMs)
    if (reason === undefined) {
      this.#reducer.add(decoder, progress.partition, offset, progress.watermarkUs)
      if (decoder.timestampUs > progress.watermarkUs) progress.watermarkUs = decoder.timestampUs
      progress.merged += 1
      return
    }
    progress.rejected += 1
    const letter = { partition: progress.partition, offset, reason, detail: decoder.detail, timestampMs }
    this.#letters.add(letter, buffer, { start: valueStart, end: valueEnd }, { start: keyStart, end: keyEnd })
  }

  withoutMessage(count: number): void {
    const progress = this.#current as PartitionProgress
    progress.withoutMessage += count
  }

  batch(leaderEpoch: number, from: number): void {
    const progress = this.#current as PartitionProgress
    progress.noteEpoch(leaderEpoch, from)
  }

  /** Returns what is pending; further records belong to the next batch. */
  take(): TakenBatch {
    const advances: PartitionAdvance[] = []
    for (const progress of this.#partitions.values()) if (progress.hasPending) advances.push(progress.take())
    return { advances, rows: this.#reducer.take(), letters: this.#letters.take(), losses: this.#losses.take() }
  }

  /** Discards everything pending, and closes all partitions. */
  reset(): void {
    this.#reducer.discard()
    this.#letters.take()
    this.#losses.take()
    this.#partitions.clear()
  }
}
