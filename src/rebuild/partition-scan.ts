import type { LogChunk, LogReader, LogRecord } from '../kafka/log/log-reader.ts'
import {
  cutHole,
  deletedHole,
  type Hole,
  type LossGap,
  type LossPosition,
  likelyLatestUs,
  unacceptedCut,
  withCompacted,
} from '../kpi/log-losses.ts'
import type { LogReduction, ReductionRules } from './log-reduction.ts'

export interface PartitionScanOptions {
  readonly partition: number
  readonly firstOffset: number
  /** Of this partition. */
  readonly gaps: readonly LossGap[]
  /** Offsets of messages that were retried: these count with the value they were retried with, not with their own. */
  readonly retried: ReadonlySet<number>
  readonly reader: LogReader
  readonly reduction: LogReduction
  /** Under which the partition was read. */
  readonly rulesBefore: ReductionRules
  /** Called after each answer of the broker. */
  readonly afterChunk: (messages: number) => Promise<void>
}

/** A hole, and the first accepted timestamps behind it. */
interface FoundHole {
  readonly hole: Hole
  readonly afterUs: number[]
}

/** Messages behind a hole that are asked for their time. */
const looksAfter = 100

/** Reads one partition of the log from its beginning, in several passes, each up to a position. */
export class PartitionScan {
  readonly #options: PartitionScanOptions
  readonly #holes: FoundHole[]
  #compacted: Hole | undefined
  /** The first offset that was not read yet. */
  offset: number
  /** The highest accepted timestamp so far, microseconds; −1 for none. */
  watermarkUs = -1
  /** By the new rules, and by the old. */
  accepted = 0
  rejected = 0
  acceptedBefore = 0

  constructor(options: PartitionScanOptions) {
    this.#options = options
    const cuts = options.gaps.filter(({ kind }) => kind === 'cut')
    this.#holes = cuts.map((gap) => ({ hole: cutHole(gap), afterUs: [] }))
    this.offset = Math.min(options.firstOffset, ...cuts.map(({ fromOffset }) => fromOffset))
  }

  /** Whether the log holds everything that was read of this partition. */
  get isWhole(): boolean {
    return this.#holes.length === 0 && this.#compacted === undefined
  }

  /** None of the messages that are gone is later than this; −1 for none. */
  get latestUs(): number {
    return Math.max(-1, this.#compacted?.latestUs ?? -1, ...this.#holes.map(({ hole }) => hole.latestUs))
  }

  /** And none is likely to be later than this. */
  get likelyLatestUs(): number {
    return Math.max(
      -1,
      this.#compacted?.latestUs ?? -1,
      ...this.#holes.map(({ hole, afterUs }) => likelyLatestUs(hole, afterUs, this.#options.rulesBefore)),
    )
  }

  /**
   * Continues up to a position.
   *
   * @param agreesTo - From here on the log holds other messages than were read.
   */
  async readTo(position: LossPosition, agreesTo = position.nextOffset): Promise<void> {
    const { reader, partition, afterChunk } = this.#options
    const end = Math.min(agreesTo, position.nextOffset)
    for await (const chunk of reader.read(partition, this.offset, end)) {
      if (chunk.from > this.offset) this.#noteDeleted(position, chunk)
      this.#noteCompacted(position, chunk)
      for (const record of chunk.records) this.#take(record)
      this.offset = chunk.next
      await afterChunk(chunk.records.length)
    }
    if (this.offset < position.nextOffset) this.#noteEnd(position)
  }

  #take(record: LogRecord): void {
    const { reduction, partition, retried } = this.#options
    if (retried.has(record.offset)) {
      this.rejected += 1
      return
    }
    const { isAccepted, wasAccepted, timestampUs } = reduction.add(record, partition, this.watermarkUs)
    if (wasAccepted) this.acceptedBefore += 1
    if (!isAccepted) {
      this.rejected += 1
      return
    }
    this.accepted += 1
    if (timestampUs > this.watermarkUs) this.watermarkUs = timestampUs
    for (const { hole, afterUs } of this.#holes) {
      if (hole.why === 'deleted' && afterUs.length < looksAfter) afterUs.push(timestampUs)
    }
  }

  #noteDeleted(position: LossPosition, { from, records, isAppendTime }: LogChunk): void {
    const { gaps, rulesBefore } = this.#options
    const appendedAtMs = isAppendTime ? records[0]?.timestampMs : undefined
    this.#add(deletedHole(position, gaps, { from: this.offset, to: from }, appendedAtMs, rulesBefore.maxFutureSeconds))
  }

  /** None of the messages that are gone came later than the next one that is left. */
  #noteCompacted(position: LossPosition, { records, missing, isAppendTime }: LogChunk): void {
    const { gaps, rulesBefore } = this.#options
    for (const range of missing) {
      const after = isAppendTime ? records.find(({ offset }) => offset >= range.to) : undefined
      const found = deletedHole(position, gaps, range, after?.timestampMs, rulesBefore.maxFutureSeconds)
      if (!found) continue
      const [hole] = withCompacted(this.#compacted ? [this.#compacted] : [], found)
      this.#compacted = hole
    }
  }

  /** The log ends before the position: the rest was deleted or given up, or the log was cut. */
  #noteEnd(position: LossPosition): void {
    const { gaps, rulesBefore } = this.#options
    const range = { from: this.offset, to: position.nextOffset }
    if (deletedHole(position, gaps, range, undefined, rulesBefore.maxFutureSeconds)) {
      this.#add(unacceptedCut(position, this.offset))
    }
    this.offset = position.nextOffset
  }

  #add(hole: Hole | undefined): void {
    if (hole) this.#holes.push({ hole, afterUs: [] })
  }
}
