/** What a price consists of, in the names of our messages. */
export const fieldNames = ['symbol', 'timestamp', 'open', 'high', 'low', 'close', 'volume'] as const
export type FieldName = (typeof fieldNames)[number]

/** What is taken from a file: a time of day in a column of its own belongs to the timestamp. */
export const sourceFields = [...fieldNames, 'clock'] as const
export type SourceField = (typeof sourceFields)[number]

/** The text of a field, where it stands: `bytes[start, end)`. Without a byte it is absent. */
export class FieldText {
  bytes: Buffer = noBytes
  start = 0
  end = 0
  /** A number as JSON has it, whatever the user said about the decimal sign of the file. */
  isJsonNumber = false

  get isAbsent(): boolean {
    return this.end === this.start
  }

  /** Spaces around it do not count. */
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

  /** Its beginning, for a line of the log. */
  excerpt(): string {
    const isLong = this.end - this.start > excerptBytes
    const text = this.bytes.toString('latin1', this.start, isLong ? this.start + excerptBytes : this.end)
    return `'${text.replace(/[^\x20-\x7e]/g, '?')}${isLong ? '…' : ''}'`
  }
}

/** One line of a file, taken apart. */
export class PriceLine implements Record<SourceField, FieldText> {
  readonly symbol = new FieldText()
  readonly timestamp = new FieldText()
  readonly open = new FieldText()
  readonly high = new FieldText()
  readonly low = new FieldText()
  readonly close = new FieldText()
  readonly volume = new FieldText()
  readonly clock = new FieldText()
  /** The whole line, when it is a message of ours as it stands. */
  readonly message = new FieldText()
  /** Whether all numbers of `message` are plain decimals without an exponent. */
  isMessagePlain = false
  /** In the order of {@link sourceFields}: an index is found faster than a name. */
  readonly fields: readonly FieldText[] = sourceFields.map((name) => this[name])

  clear(): void {
    for (let i = 0; i < sourceFields.length; i++) this.fields[i]?.clear()
    this.message.clear()
  }
}

/** Where the lines of a file, or the elements of its array, come from, one after the other: `buffer[start, end)`. */
export interface RecordReader {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** The number of the line, or of the element, from 1. */
  readonly line: number
  /** Where it begins in the content of the file. */
  readonly position: number
  /** Only its beginning is here. */
  readonly isTooLong: boolean
  /** In words for the log: `line 7`. */
  readonly place: string
  /** @returns false when the next one is not whole in memory: fill, or it is the end. */
  next(): boolean
  /** @returns false at the end of the file; then `next` has at most a last one. */
  fill(): Promise<boolean>
  /** Moves to the next one, reading on where need be. @returns false at the end of the file. */
  advance(): Promise<boolean>
  /** `next` moves to the current one again. */
  putBack(): void
  /** Goes back to the beginning of the file. */
  restart(): Promise<void>
}

/** How the lines of a file are read. */
export interface LineFormat {
  /** In words, with what was taken for what. */
  readonly description: string
  /** Whether the line at hand holds more prices, which `readMore` gives. */
  readonly hasMore: boolean
  /** Why the last line was `bad`. */
  readonly problem: string
  /** `unfinished`: the line goes on in the next one, which is not in memory. */
  read(into: PriceLine): 'price' | 'blank' | 'unfinished' | 'bad'
  /** The next price of a line that holds several. */
  readMore(into: PriceLine): 'price' | 'bad'
}

const noBytes = Buffer.alloc(0)
const excerptBytes = 40

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}
