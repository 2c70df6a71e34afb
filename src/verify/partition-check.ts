import type { LogChunk, LogReader, LogRecord, OffsetRange } from '../kafka/log/log-reader.ts'
import { cutHole, deletedHole, type Hole, unacceptedCut, withCompacted } from '../kpi/log-losses.ts'
import type { Gap } from '../store/positions/gaps.ts'
import type { CountedPosition } from '../store/windows/verify-snapshot.ts'
import type { Difference, Findings } from './findings.ts'
import type { LetterList } from './letter-list.ts'
import { decodePlainly } from './plain-decoder.ts'
import type { PlainWindows } from './plain-windows.ts'

export interface PartitionCheckOptions {
  readonly reader: LogReader
  readonly position: CountedPosition
  /** From here on the log holds other messages than were read; undefined where it is the one that was read. */
  readonly agreesTo?: number | undefined
  /** Of this partition. */
  readonly gaps: readonly Gap[]
  readonly windows: PlainWindows
  /** Offsets of retried messages: their retried value counts, not the value in the log. */
  readonly retried: ReadonlySet<number>
  /** Of this partition; left out when dead letters are not compared. */
  readonly letters?: LetterList | undefined
  readonly windowSeconds: number
  readonly allowedLatenessSeconds: number
  readonly maxFutureSeconds: number
  readonly decimals: number
  readonly differences: Findings<Difference>
  readonly onMessages: (count: number) => void
}

/**
 * Reads one partition up to its position, adds its messages to their windows, and compares dead letters and counters
 * with the log. Messages that the log lost make holes; behind one the watermark is known only to lie between the highest
 * timestamp read and the position's.
 */
export class PartitionCheck {
  readonly #options: PartitionCheckOptions
  #holes: readonly Hole[]
  readonly #cutFrom: number
  #offset: number
  #merged = 0
  #rejected = 0
  #watermarkUs = -1
  #isWatermarkKnown = true
  /** Rejected messages that are not in dead_letters. */
  #missingLetters = 0

  constructor(options: PartitionCheckOptions) {
    this.#options = options
    const cuts = options.gaps.filter(({ kind }) => kind === 'cut')
    this.#holes = cuts.map(cutHole)
    this.#cutFrom = Math.min(...cuts.map(({ fromOffset }) => fromOffset), Number.POSITIVE_INFINITY)
    this.#offset = Math.min(options.position.firstOffset, this.#cutFrom)
  }

  /** @returns The holes. */
  async run(): Promise<readonly Hole[]> {
    const { reader, position, agreesTo = position.nextOffset, onMessages } = this.#options
    const end = Math.min(agreesTo, position.nextOffset)
    for await (const chunk of reader.read(position.partition, this.#offset, end)) {
      if (chunk.from > this.#offset) this.#noteDeleted(chunk)
      this.#takeAll(chunk)
      this.#offset = chunk.next
      onMessages(chunk.records.length)
    }
    if (this.#offset < position.nextOffset) await this.#noteEnd()
    this.#compareLetters()
    this.#compareCounts()
    return this.#holes
  }

  #takeAll({ records, missing, isAppendTime }: LogChunk): void {
    let at = 0
    for (const record of records) {
      for (; (missing[at]?.to ?? Number.POSITIVE_INFINITY) <= record.offset; at++) {
        this.#noteCompacted(missing[at], isAppendTime ? record.timestampMs : undefined)
      }
      this.#take(record)
    }
    for (; at < missing.length; at++) this.#noteCompacted(missing[at], undefined)
  }

  #noteCompacted(range: OffsetRange | undefined, appendedAtMs: number | undefined): void {
    const { position, gaps, maxFutureSeconds } = this.#options
    const hole = range && deletedHole(position, gaps, range, appendedAtMs, maxFutureSeconds)
    if (!hole) return
    this.#holes = withCompacted(this.#holes, hole)
    this.#isWatermarkKnown = false
    this.#options.letters?.skipTo(hole.to)
  }

  #noteDeleted({ from, records, isAppendTime }: LogChunk): void {
    const { position, gaps, maxFutureSeconds } = this.#options
    const appendedAtMs = isAppendTime ? records[0]?.timestampMs : undefined
    this.#addHole(deletedHole(position, gaps, { from: this.#offset, to: from }, appendedAtMs, maxFutureSeconds))
  }

  /** No message is left up to the position: what is below the log's start was deleted, what is beyond its end was cut. */
  async #noteEnd(): Promise<void> {
    const { reader, position, gaps, maxFutureSeconds } = this.#options
    const logStart = await reader.logStart(position.partition)
    const range = { from: this.#offset, to: Math.min(logStart, position.nextOffset) }
    if (range.to > range.from) {
      this.#addHole(deletedHole(position, gaps, range, undefined, maxFutureSeconds))
      this.#offset = range.to
    }
    if (this.#offset < position.nextOffset) this.#addHole(unacceptedCut(position, this.#offset))
  }

  #addHole(hole: Hole | undefined): void {
    if (!hole) return
    this.#holes = [...this.#holes, hole]
    this.#isWatermarkKnown = false
    this.#options.letters?.skipTo(hole.to)
  }

  #take(record: LogRecord): void {
    const { position, windows, retried, maxFutureSeconds, decimals } = this.#options
    const { offset, timestampMs } = record
    if (offset >= this.#cutFrom) this.#isWatermarkKnown = false
    const referenceMs = timestampMs >= 0 ? timestampMs : Date.now()
    const message = decodePlainly(record.value, (referenceMs + maxFutureSeconds * 1000) * 1000, decimals)
    this.#compareLetter(offset, typeof message === 'string' ? message : undefined)
    if (typeof message === 'string' || retried.has(offset)) {
      this.#rejected += 1
      return
    }
    this.#merged += 1
    windows.add(message, { partition: position.partition, offset }, this.#isLate(message.timestampUs))
    if (message.timestampUs > this.#watermarkUs) this.#watermarkUs = message.timestampUs
  }

  #isLate(timestampUs: number): boolean | 'maybe' {
    const { windows, windowSeconds, allowedLatenessSeconds, position } = this.#options
    const lateAfterUs = windows.startOf(timestampUs) + (windowSeconds + allowedLatenessSeconds) * 1e6
    if (this.#watermarkUs > lateAfterUs) return true
    return !this.#isWatermarkKnown && position.watermarkUs > lateAfterUs ? 'maybe' : false
  }

  /** @param reason - Undefined for a message that is accepted. */
  #compareLetter(offset: number, reason: string | undefined): void {
    const { letters, retried, position, differences } = this.#options
    if (!letters) return
    const { partition } = position
    for (const stray of letters.before(offset)) {
      differences.add({ partition, offset: stray.offset, column: 'letter', table: stray.reason, recomputed: null })
    }
    const found = letters.at(offset)
    // The rules under which a retried message was rejected may have changed since.
    if (found === reason || (reason === undefined && retried.has(offset))) return
    if (found !== undefined) {
      const column = reason === undefined ? 'letter' : 'reason'
      differences.add({ partition, offset, column, table: found, recomputed: reason ?? null })
      return
    }
    this.#missingLetters += 1
    // Those that were purged are only counted: which ones they were is not known.
    if (position.purged === 0)
      differences.add({ partition, offset, column: 'letter', table: null, recomputed: reason ?? null })
  }

  #compareLetters(): void {
    const { letters, position, differences } = this.#options
    if (!letters) return
    const { partition, purged } = position
    for (const stray of letters.before(Number.POSITIVE_INFINITY)) {
      differences.add({ partition, offset: stray.offset, column: 'letter', table: stray.reason, recomputed: null })
    }
    if (purged > 0)
      this.#compareCount('dead letters purged', purged, this.#missingLetters, this.#missingLetters <= purged)
  }

  /** With holes the log can show less than what was counted, never more. */
  #compareCounts(): void {
    const { position, letters } = this.#options
    if (!letters) return
    const isWhole = this.#holes.length === 0
    const { merged, rejected, firstOffset, nextOffset, lost, watermarkUs } = position
    const withoutMessage = nextOffset - firstOffset - lost - this.#merged - this.#rejected
    this.#compareCount('merged', merged, this.#merged, isWhole ? merged === this.#merged : merged >= this.#merged)
    this.#compareCount(
      'rejected',
      rejected,
      this.#rejected,
      isWhole ? rejected === this.#rejected : rejected >= this.#rejected,
    )
    if (isWhole) {
      const { withoutMessage: counted } = position
      this.#compareCount('without_message', counted, withoutMessage, counted === withoutMessage)
    }
    const isMark = isWhole ? watermarkUs === this.#watermarkUs : watermarkUs >= this.#watermarkUs
    this.#compareCount('watermark_us', watermarkUs, this.#watermarkUs, isMark)
    this.#compareLetterCounts()
  }

  /** Each rejected message is in dead_letters, was purged or is in the archive; each retried one is still there. */
  #compareLetterCounts(): void {
    const { rejected, letters, archivedLetters, purged, retried, retriedLetters } = this.#options.position
    const stored = letters + archivedLetters + purged
    this.#compareCount('dead_letters', stored, rejected, rejected === stored)
    this.#compareCount('retried', retried, retriedLetters, retried === retriedLetters)
  }

  #compareCount(column: string, table: number, recomputed: number, isRight: boolean): void {
    if (isRight) return
    const { partition } = this.#options.position
    this.#options.differences.add({ partition, column, table: String(table), recomputed: String(recomputed) })
  }
}
