/** What a price consists of, in the names of our messages. */
export const fieldNames = ['symbol', 'timestamp', 'open', 'high', 'low', 'close', 'volume'] as const
export type FieldName = (typeof fieldNames)[number]

/** The text of a field, where it stands: `bytes[start, end)`. Without a byte it is absent. */
export class FieldText {
  bytes: Buffer = noBytes
  start = 0
  end = 0

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
export class PriceLine implements Record<FieldName, FieldText> {
  readonly symbol = new FieldText()
  readonly timestamp = new FieldText()
  readonly open = new FieldText()
  readonly high = new FieldText()
  readonly low = new FieldText()
  readonly close = new FieldText()
  readonly volume = new FieldText()
  /** The whole line, when it is a message of ours as it stands. */
  readonly message = new FieldText()
  /** In the order of {@link fieldNames}: an index is found faster than a name. */
  readonly fields: readonly FieldText[] = fieldNames.map((name) => this[name])

  clear(): void {
    for (let i = 0; i < fieldNames.length; i++) this.fields[i]?.clear()
    this.message.clear()
  }
}

/** How the lines of a file are read. */
export interface LineFormat {
  /** In words, with what was taken for what. */
  readonly description: string
  /** Why the last line was `bad`. */
  readonly problem: string
  /** `unfinished`: the line goes on in the next one, which is not in memory. */
  read(into: PriceLine): 'price' | 'blank' | 'unfinished' | 'bad'
}

const noBytes = Buffer.alloc(0)
const excerptBytes = 40

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}
