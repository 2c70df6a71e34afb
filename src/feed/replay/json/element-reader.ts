import { assert } from '../../../errors.ts'
import { maxLineBytes } from '../line-reader.ts'
import type { RecordReader } from '../price-line.ts'
import type { ReplayFile } from '../replay-file.ts'

/**
 * Reads the elements of a file that is one JSON array, without copying, as {@link LineReader} reads lines. The file
 * may be a single line, and an element may span several lines. This class only finds the end of each element; the
 * format checks whether it is valid JSON.
 *
 * States: outside the array, between elements, inside an element, after the beginning of an element that is too long.
 */
export class ElementReader implements RecordReader {
  readonly buffer = Buffer.allocUnsafeSlow(2 * maxLineBytes)
  line = 0
  position = 0
  start = 0
  end = 0
  isTooLong = false
  readonly #file: ReplayFile
  readonly #from: number
  /** The bytes in memory are `buffer[0, length)`, which begins at `#base` in the file. */
  #length = 0
  #base = 0
  #isComplete = false
  /** The next byte to examine. Line breaks before it are counted. */
  #at = 0
  #physicalLine = 1
  #state: 'outside' | 'between' | 'element' | 'rest' = 'outside'
  /** Where the current element begins, and which brackets and strings are open in it. */
  #elementStart = 0
  #elementLine = 1
  #depth = 0
  #isText = false
  #isEscaped = false
  #isPutBack = false

  /** @param from - Position in the content where the array begins. Bytes before it are not part of the array. */
  constructor(file: ReplayFile, from: number) {
    this.#file = file
    this.#from = from
  }

  get place(): string {
    return `line ${this.#elementLine} (element ${this.line})`
  }

  next(): boolean {
    if (this.#isPutBack) {
      this.#isPutBack = false
      this.line += 1
      return true
    }
    if (this.#state === 'rest' && !this.#skipRest()) return false
    if (this.#state !== 'element' && !this.#findStart()) return false
    if (this.#findEnd()) return this.#take(this.#at, false)
    if (this.#length - this.#elementStart > maxLineBytes) {
      this.#state = 'rest'
      return this.#take(this.#elementStart + maxLineBytes, true)
    }
    // The file is truncated: its last element is not valid JSON.
    return this.#isComplete && this.#take(this.#length, false)
  }

  async advance(): Promise<boolean> {
    while (!this.next()) if (!(await this.fill())) return this.next()
    return true
  }

  putBack(): void {
    this.#isPutBack = true
    this.line -= 1
  }

  async fill(): Promise<boolean> {
    if (this.#isComplete) return false
    const isInside = this.#state === 'element'
    const from = this.#isPutBack ? this.start : isInside ? this.#elementStart : this.#at
    this.buffer.copyWithin(0, from, this.#length)
    this.#base += from
    this.#length -= from
    this.#at -= from
    this.#elementStart -= from
    this.start -= from
    this.end -= from
    assert(this.#length < this.buffer.length, 'room in the buffer of an element reader')
    const bytes = await this.#file.read(this.buffer, this.#length)
    this.#length += bytes
    this.#isComplete = bytes === 0
    return bytes > 0
  }

  async restart(): Promise<void> {
    await this.#file.rewind()
    this.line = 0
    this.#length = 0
    this.#base = 0
    this.#isComplete = false
    this.#at = 0
    this.#physicalLine = 1
    this.#state = 'outside'
    this.#isPutBack = false
  }

  #take(end: number, isTooLong: boolean): true {
    this.start = this.#elementStart
    this.end = end
    this.isTooLong = isTooLong
    this.line += 1
    this.position = this.#base + this.start
    if (this.#state === 'element') this.#state = 'between'
    return true
  }

  /** Moves to the first byte of an element. */
  #findStart(): boolean {
    for (; this.#at < this.#length; this.#at += 1) {
      const byte = this.buffer[this.#at] ?? 0
      if (byte === newline) this.#physicalLine += 1
      if (
        this.#base + this.#at < this.#from ||
        byte <= space ||
        (byte === comma && this.#state === 'between') ||
        isByteOrderMark(byte, this.#base + this.#at)
      )
        continue
      if (this.#state === 'outside' && byte === openBracket) this.#state = 'between'
      else if (this.#state === 'between' && byte === closeBracket) this.#state = 'outside'
      else {
        this.#begin()
        return true
      }
    }
    return false
  }

  #begin(): void {
    this.#state = 'element'
    this.#elementStart = this.#at
    this.#elementLine = this.#physicalLine
    this.#depth = 0
    this.#isText = false
    this.#isEscaped = false
  }

  #skipRest(): boolean {
    if (!this.#findEnd()) {
      this.#at = this.#length
      return false
    }
    this.#state = 'between'
    return true
  }

  /** Moves past the element. It ends with its closing bracket, or before a comma. */
  #findEnd(): boolean {
    const { buffer } = this
    let at = this.#at
    for (; at < this.#length; at++) {
      const byte = buffer[at] ?? 0
      if (byte === newline) this.#physicalLine += 1
      if (this.#isText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === backslash) this.#isEscaped = true
        else if (byte === quote) this.#isText = false
      } else if (byte === quote) this.#isText = true
      else if (byte === openBrace || byte === openBracket) this.#depth += 1
      else if (byte === closeBrace || byte === closeBracket) {
        if (this.#depth === 0) break
        this.#depth -= 1
        if (this.#depth === 0) {
          this.#at = at + 1
          return true
        }
      } else if (byte === comma && this.#depth === 0) break
    }
    this.#at = at
    return at < this.#length
  }
}

/** Some files begin with a byte-order mark of three bytes. */
function isByteOrderMark(byte: number, position: number): boolean {
  return position < 3 && byte >= 0x80
}

const newline = 0x0a
const space = 0x20
const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
