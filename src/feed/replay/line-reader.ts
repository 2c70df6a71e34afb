import { assert } from '../../errors.ts'
import type { ReplayFile } from './replay-file.ts'

/** Longer lines are skipped: a message has 65,536 bytes at most. */
export const maxLineBytes = 1024 * 1024
const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * Reads the lines of a file without copying: the current one is `buffer[start, end)`, without its line break.
 *
 * `next` moves to the next line until memory holds no complete one; then `fill` reads more. `join` appends the
 * following line, for a quoted field that contains line breaks, and `split` undoes it.
 */
export class LineReader {
  readonly buffer = Buffer.allocUnsafeSlow(2 * maxLineBytes)
  /** The number of the line, from 1. After joins, the number of the first one. */
  line = 0
  /** Where the line begins in the file. */
  position = 0
  start = 0
  end = 0
  /** The line is too long, and only its beginning is in memory. */
  isTooLong = false
  readonly #file: ReplayFile
  /** The byte that ends a line. Carriage returns before it are dropped. */
  readonly #newline: number
  /** The bytes in memory are `buffer[0, length)`, which begins at `#base` in the file. */
  #read: Buffer
  #base = 0
  #isComplete = false
  /** The position after the current line, the number of file lines in it, and the position after its first line. */
  #nextStart = 0
  #lines = 1
  #firstNextStart = 0
  /** There is no line break before this position. */
  #searchedTo = 0
  #skipsRest = false

  constructor(file: ReplayFile) {
    this.#file = file
    this.#newline = lineBreakOf(file.prefix)
    this.#read = this.buffer.subarray(0, 0)
  }

  /** Whether `fill` could read more of the current line. */
  get hasMore(): boolean {
    return !this.#isComplete && this.#read.length - this.start < maxLineBytes
  }

  /** The current line, as log messages name it. */
  get place(): string {
    return `line ${this.line}`
  }

  /** Continues with a line in the middle of a seekable file. */
  seek(line: number, position: number): void {
    this.#file.seek(position)
    this.#moveTo(line, position)
  }

  /** Goes back to before the first line. */
  async restart(): Promise<void> {
    await this.#file.rewind()
    this.#moveTo(1, 0)
  }

  #moveTo(line: number, position: number): void {
    this.line = line - 1
    this.#lines = 1
    this.#nextStart = 0
    this.#searchedTo = 0
    this.#read = this.buffer.subarray(0, 0)
    this.#base = position
    this.#isComplete = false
    this.#skipsRest = false
  }

  /** @returns false when memory does not hold the whole next line: call `fill`, or the file has ended. */
  next(): boolean {
    if (this.#skipsRest && !this.#skipRest()) return false
    const start = this.#nextStart
    const found = this.#read.indexOf(this.#newline, Math.max(start, this.#searchedTo))
    if (found >= 0) this.#take(start, found, found + 1)
    else if (!this.#takeUnfinished(start)) return false
    this.line += this.#lines
    this.#lines = 1
    this.#firstNextStart = this.#nextStart
    this.position = this.#base + start
    if (this.position === 0) this.#skipByteOrderMark()
    return true
  }

  /**
   * Moves to the next line, reading more if needed. @returns false at the end of the file.
   *
   * @throws KpiError `KPI_FEED_FILE` when the file cannot be read any further.
   */
  async advance(): Promise<boolean> {
    while (!this.next()) if (!(await this.fill())) return this.next()
    return true
  }

  /**
   * Appends the following line to the current one. @returns false if it is not complete in memory, or the result
   * would be too long.
   */
  join(): boolean {
    const found = this.#read.indexOf(this.#newline, this.#nextStart)
    const isLast = found < 0 && this.#isComplete && this.#nextStart < this.#read.length
    const end = isLast ? this.#read.length : found
    if (end < 0 || end - this.start > maxLineBytes) return false
    this.#take(this.start, end, isLast ? end : end + 1)
    this.#lines += 1
    return true
  }

  /** Undoes all joins: the current line is a single line again. */
  split(): void {
    const hasBreak = this.buffer[this.#firstNextStart - 1] === this.#newline
    this.#take(this.start, hasBreak ? this.#firstNextStart - 1 : this.#firstNextStart, this.#firstNextStart)
    this.#lines = 1
  }

  /** Makes `next` return the current line again. */
  putBack(): void {
    this.#nextStart = this.position - this.#base
    this.#searchedTo = this.#nextStart
    this.line -= 1
    this.#lines = 1
  }

  /**
   * Reads more of the file. The current line is lost, unless it was put back.
   *
   * @returns false at the end of the file. Then `next` returns at most one more line, which has no line break.
   * @throws KpiError `KPI_FEED_FILE` when the file cannot be read any further.
   */
  async fill(): Promise<boolean> {
    if (this.#isComplete) return false
    const kept = this.#read.length - this.#nextStart
    assert(kept < this.buffer.length, 'room in the buffer of a line reader')
    this.buffer.copyWithin(0, this.#nextStart, this.#read.length)
    this.#base += this.#nextStart
    this.#searchedTo = Math.max(0, this.#searchedTo - this.#nextStart)
    this.#nextStart = 0
    const bytes = await this.#file.read(this.buffer, kept)
    this.#read = this.buffer.subarray(0, kept + bytes)
    this.#isComplete = bytes === 0
    return bytes > 0
  }

  #take(start: number, end: number, nextStart: number): void {
    this.start = start
    while (end > start && this.buffer[end - 1] === carriageReturn) end -= 1
    this.end = end
    this.#nextStart = nextStart
    this.#searchedTo = nextStart
    this.isTooLong = false
  }

  #skipByteOrderMark(): void {
    const { buffer } = this
    if (this.end >= 3 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) this.start = 3
  }

  /** Takes a line whose end is not in memory: the last one of the file, or one that is too long. */
  #takeUnfinished(start: number): boolean {
    const { length } = this.#read
    this.#searchedTo = length
    const isTooLong = length - start >= maxLineBytes
    if (length === start || !(this.#isComplete || isTooLong)) return false
    this.#take(start, length, length)
    this.isTooLong = isTooLong
    this.#skipsRest = isTooLong
    return true
  }

  /** @returns false while the end of the line that is too long is not in memory. */
  #skipRest(): boolean {
    const found = this.#read.indexOf(this.#newline, this.#nextStart)
    this.#nextStart = found < 0 ? this.#read.length : found + 1
    this.#searchedTo = this.#nextStart
    this.#skipsRest = found < 0
    return found >= 0
  }
}

/**
 * Lines end with a line feed, or with a carriage return if the file has no line feed, as in old files of Excel for
 * Mac.
 */
function lineBreakOf(prefix: Buffer): number {
  let feeds = 0
  let returns = 0
  let isQuoted = false
  for (const byte of prefix) {
    if (byte === quote) isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (byte === lineFeed) feeds += 1
    else if (byte === carriageReturn) returns += 1
  }
  // An unclosed quote says nothing about the bytes after it.
  if (feeds > 0 || (isQuoted && prefix.includes(lineFeed))) return lineFeed
  return returns > 0 ? carriageReturn : lineFeed
}

const quote = 0x22
