import type { FieldText } from '../price-line.ts'

const quote = 0x22
const blank = 0x20

/**
 * Finds the fields of a CSV line according to RFC 4180, without copying. A quote is special only at the beginning of
 * a field (after optional blanks); elsewhere it is an ordinary character.
 */
export class CsvSplitter {
  readonly #delimiter: number
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  /** Whether each field contains doubled quotes. */
  readonly #doubled: boolean[] = []
  #at = 0
  count = 0
  /** What is wrong with the line, after `split` or `goOn` returned `bad`. */
  problem = ''

  constructor(delimiter: number) {
    this.#delimiter = delimiter
  }

  /** @returns `open` if the line ends inside a quoted field, which continues in the next line. */
  split(bytes: Buffer, start: number, end: number): 'split' | 'open' | 'bad' {
    this.count = 0
    this.#at = start
    return this.#split(bytes, end)
  }

  /** Continues with an open line after more bytes were added to it. */
  goOn(bytes: Buffer, end: number): 'split' | 'open' | 'bad' {
    const ended = this.#endQuoted(bytes, end)
    return ended === 'next' ? this.#split(bytes, end) : ended
  }

  isEmpty(field: number): boolean {
    return this.#starts[field] === this.#ends[field]
  }

  read(field: number, bytes: Buffer, into: FieldText): void {
    const start = this.#starts[field] ?? 0
    const end = this.#ends[field] ?? 0
    if (!this.#doubled[field]) {
      into.set(bytes, start, end)
      return
    }
    const text = Buffer.from(bytes.toString('latin1', start, end).replaceAll('""', '"'), 'latin1')
    into.set(text, 0, text.length)
  }

  #split(bytes: Buffer, end: number): 'split' | 'open' | 'bad' {
    const delimiter = this.#delimiter
    let at = this.#at
    for (;;) {
      const field = this.count
      this.#starts[field] = at
      this.#doubled[field] = false
      let first = at
      while (first < end && bytes[first] === blank) first += 1
      if (first < end && bytes[first] === quote) {
        this.#starts[field] = first + 1
        this.#at = first + 1
        const ended = this.#endQuoted(bytes, end)
        if (ended !== 'next') return ended
        at = this.#at
        continue
      }
      while (at < end && bytes[at] !== delimiter) at += 1
      this.#ends[field] = at
      this.count = field + 1
      if (at >= end) return 'split'
      at += 1
    }
  }

  /** Finds the closing quote, starting after the opening one. */
  #endQuoted(bytes: Buffer, end: number): 'next' | 'split' | 'open' | 'bad' {
    let at = this.#at
    for (;;) {
      while (at < end && bytes[at] !== quote) at += 1
      if (at >= end) {
        this.#at = at
        return 'open'
      }
      if (at + 1 >= end || bytes[at + 1] !== quote) break
      this.#doubled[this.count] = true
      at += 2
    }
    this.#ends[this.count] = at
    this.count += 1
    let behind = at + 1
    while (behind < end && bytes[behind] === blank) behind += 1
    this.#at = behind + 1
    if (behind >= end) return 'split'
    if (bytes[behind] === this.#delimiter) return 'next'
    this.problem = `text behind the closing quote of field ${this.count}`
    return 'bad'
  }
}
