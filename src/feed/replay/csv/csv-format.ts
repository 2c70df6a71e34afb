import { assert } from '../../../errors.ts'
import type { LineReader } from '../line-reader.ts'
import { type LineFormat, type PriceLine, type SourceField, sourceFields } from '../price-line.ts'
import { currentCells } from './csv-lines.ts'
import { CsvSplitter } from './csv-splitter.ts'

export interface CsvLayout {
  readonly delimiter: string
  /** How many fields a line has. One more is accepted if it is empty. */
  readonly columnCount: number
  /** The same for lines that end with a delimiter. */
  readonly mostColumns: number
  /** The column of each field. */
  readonly places: ReadonlyMap<SourceField, number>
  /** What the number of fields is compared with, for error messages. */
  readonly countedBy: string
  readonly description: string
}

/** Reads the prices in the lines of a CSV file. */
export class CsvFormat implements LineFormat {
  readonly description: string
  readonly hasMore = false
  problem = ''
  readonly #reader: LineReader
  readonly #splitter: CsvSplitter
  readonly #layout: CsvLayout
  readonly #columns: readonly { readonly index: number; readonly column: number }[]

  constructor(reader: LineReader, layout: CsvLayout) {
    this.#reader = reader
    this.#layout = layout
    this.#splitter = new CsvSplitter(layout.delimiter.charCodeAt(0))
    this.#columns = [...layout.places].map(([field, column]) => ({ index: sourceFields.indexOf(field), column }))
    this.description = layout.description
  }

  read(into: PriceLine): 'price' | 'blank' | 'unfinished' | 'bad' {
    const { buffer, start, end } = this.#reader
    if (start === end) return 'blank'
    let state = this.#splitter.split(buffer, start, end)
    while (state === 'open') {
      if (!this.#reader.join()) return this.#endOpen()
      state = this.#splitter.goOn(buffer, this.#reader.end)
    }
    if (state === 'bad') return this.#bad(this.#splitter.problem)
    const { count } = this.#splitter
    if (count !== this.#layout.columnCount && !this.#isCountGood(count)) {
      if (count === 1 && this.#isBlank()) return 'blank'
      return this.#bad(`${count} columns, ${this.#layout.countedBy} ${this.#layout.columnCount}`)
    }
    const columns = this.#columns
    for (let i = 0; i < columns.length; i++) {
      const wanted = columns[i]
      const text = into.fields[wanted?.index ?? -1]
      if (wanted && text) this.#splitter.read(wanted.column, buffer, text)
    }
    return 'price'
  }

  /** Skips the header, whose names may contain line breaks. */
  skipHeader(): void {
    currentCells(this.#reader, this.#splitter)
  }

  readMore(): 'bad' {
    assert(false, 'a line of a CSV file is one price')
  }

  #isCountGood(count: number): boolean {
    const { columnCount, mostColumns } = this.#layout
    return count === mostColumns || (count === columnCount + 1 && this.#splitter.isEmpty(columnCount))
  }

  #isBlank(): boolean {
    const { buffer, start, end } = this.#reader
    return buffer.toString('latin1', start, end).trim() === ''
  }

  #endOpen(): 'unfinished' | 'bad' {
    return this.#reader.hasMore ? 'unfinished' : this.#bad('a quoted field without its end')
  }

  /** Undoes joins, so that the lines after a bad one are read separately. */
  #bad(problem: string): 'bad' {
    this.#reader.split()
    this.problem = problem
    return 'bad'
  }
}
