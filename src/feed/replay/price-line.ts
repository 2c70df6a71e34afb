/** The fields of a price, named as in our messages. */
export const fieldNames = ['symbol', 'timestamp', 'open', 'high', 'low', 'close', 'volume'] as const
export type FieldName = (typeof fieldNames)[number]

/** The fields read from a file. A time of day in a column of its own is part of the timestamp. */
export const sourceFields = [...fieldNames, 'clock'] as const
export type SourceField = (typeof sourceFields)[number]

/** The text of a field: `bytes[start, end)`. It is absent if empty. */
export class FieldText {
  bytes: Buffer = noBytes
  start = 0
  end = 0
  /** The number is in JSON notation, regardless of the file's decimal separator. */
  isJsonNumber = false

  get isAbsent(): boolean {
    return this.end === this.start
  }

  /** Surrounding spaces are dropped. */
  set(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    while (start < end && isSpace(bytes[start])) start += 1
    while (end > start && isSpace(bytes[end - 1])) end -= 1
    this.start = start
    this.end = end
  }

  clear(): void {
    this.start = 0
    this.end = 0
  }

  toString(): string {
    return this.bytes.toString('utf8', this.start, this.end)
  }

  /** Its beginning, for log messages. */
  excerpt(): string {
    const isLong = this.end - this.start > excerptBytes
    const text = this.bytes.toString('latin1', this.start, isLong ? this.start + excerptBytes : this.end)
    return `'${text.replace(/[^\x20-\x7e]/g, '?')}${isLong ? '…' : ''}'`
  }
}

/** The parsed fields of one line of a file. */
export class PriceLine implements Record<SourceField, FieldText> {
  readonly symbol = new FieldText()
  readonly timestamp = new FieldText()
  readonly open = new FieldText()
  readonly high = new FieldText()
  readonly low = new FieldText()
  readonly close = new FieldText()
  readonly volume = new FieldText()
  readonly clock = new FieldText()
  /** The whole line, if it already is a message in our format. */
  readonly message = new FieldText()
  /** Whether all numbers of `message` are plain decimals without an exponent. */
  isMessagePlain = false
  /** In the order of {@link sourceFields}, because an index is faster than a name. */
  readonly fields: readonly FieldText[] = sourceFields.map((name) => this[name])

  clear(): void {
    for (let i = 0; i < sourceFields.length; i++) this.fields[i]?.clear()
    this.message.clear()
  }
}

/** Reads the lines of a file, or the elements of its array, one after the other: `buffer[start, end)`. */
export interface RecordReader {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** The number of the line, or of the element, from 1. */
  readonly line: number
  /** Its position in the content of the file. */
  readonly position: number
  /** It is too long, and only its beginning is in memory. */
  readonly isTooLong: boolean
  /** As log messages name it: `line 7`. */
  readonly place: string
  /** @returns false when memory does not hold the whole next record: call `fill`, or the file has ended. */
  next(): boolean
  /** @returns false at the end of the file. Then `next` returns at most one more record. */
  fill(): Promise<boolean>
  /** Moves to the next record, reading more if needed. @returns false at the end of the file. */
  advance(): Promise<boolean>
  /** Makes `next` return the current record again. */
  putBack(): void
  /** Goes back to the beginning of the file. */
  restart(): Promise<void>
}

/** Converts the records of a file to prices. */
export interface LineFormat {
  /** For the log: the format, and which column is which field. */
  readonly description: string
  /** Whether the current line contains more prices, which `readMore` returns. */
  readonly hasMore: boolean
  /** Why the last line was `bad`. */
  readonly problem: string
  /** @returns `unfinished` if the line continues in the next one, which is not in memory. */
  read(into: PriceLine): 'price' | 'blank' | 'unfinished' | 'bad'
  /** The next price of a line that holds several. */
  readMore(into: PriceLine): 'price' | 'bad'
}

const noBytes = Buffer.alloc(0)
const excerptBytes = 40

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}
