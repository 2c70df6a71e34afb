import { KpiError } from '../../errors.ts'
import { CsvSplitter } from './csv-splitter.ts'
import { type FieldMapping, fieldOf } from './field-names.ts'
import type { LineReader } from './line-reader.ts'
import { type FieldName, FieldText, fieldNames, type LineFormat, type PriceLine } from './price-line.ts'

export interface CsvFormatOptions {
  readonly path: string
  readonly mapping: FieldMapping
  /** Whether each line may do without a symbol. */
  readonly hasSymbol: boolean
}

const delimiters = [',', ';', '\t', '|'] as const

/** Lines of a CSV file whose header names the columns. */
export class CsvFormat implements LineFormat {
  readonly description: string
  problem = ''
  readonly #reader: LineReader
  readonly #splitter: CsvSplitter
  readonly #columnCount: number
  /** Which column holds which field. */
  readonly #columns: readonly { readonly field: FieldName; readonly index: number; readonly column: number }[]

  /**
   * Takes the reader's current line as the header.
   *
   * @throws KpiError `KPI_FEED_FILE` when it does not name what a price needs.
   */
  constructor(reader: LineReader, options: CsvFormatOptions) {
    const delimiter = delimiterOf(reader.buffer.toString('latin1', reader.start, reader.end))
    this.#reader = reader
    this.#splitter = new CsvSplitter(delimiter.charCodeAt(0))
    const names = this.#readHeader(options.path)
    this.#columnCount = names.length
    const columns = columnsOf(names, options)
    this.#columns = [...columns].map(([field, column]) => ({ field, index: fieldNames.indexOf(field), column }))
    const told = this.#columns.map(({ field, column }) => `${field} from '${names[column]}'`)
    this.description = `CSV, ${[...told, ...(columns.has('volume') ? [] : ['volume 0, for want of a column'])].join(', ')}`
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
    if (count !== this.#columnCount) return this.#bad(`${count} columns, the header has ${this.#columnCount}`)
    const columns = this.#columns
    for (let i = 0; i < columns.length; i++) {
      const wanted = columns[i]
      const text = into.fields[wanted?.index ?? -1]
      if (wanted && text) this.#splitter.read(wanted.column, buffer, text)
    }
    return 'price'
  }

  #endOpen(): 'unfinished' | 'bad' {
    return this.#reader.hasMore ? 'unfinished' : this.#bad('a quoted field without its end')
  }

  /** The lines behind a bad one get a chance of their own. */
  #bad(problem: string): 'bad' {
    this.#reader.split()
    this.problem = problem
    return 'bad'
  }

  #readHeader(path: string): string[] {
    const { buffer, start, end } = this.#reader
    if (this.#splitter.split(buffer, start, end) !== 'split') {
      throw new KpiError('KPI_FEED_FILE', `${path}: its first line is no CSV header: ${this.#splitter.problem}`)
    }
    const name = new FieldText()
    return Array.from({ length: this.#splitter.count }, (_, column) => {
      this.#splitter.read(column, buffer, name)
      return name.toString()
    })
  }
}

/** The one that stands in the header most often. */
function delimiterOf(header: string): string {
  const counts = delimiters.map((delimiter) => header.split(delimiter).length)
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ','
}

function columnsOf(names: readonly string[], options: CsvFormatOptions): Map<FieldName, number> {
  const { path, mapping, hasSymbol } = options
  const columns = new Map<FieldName, number>()
  const ranks = new Map<FieldName, number>()
  for (const [column, name] of names.entries()) {
    const known = fieldOf(name)
    if (!known || known.rank >= (ranks.get(known.field) ?? Number.POSITIVE_INFINITY)) continue
    columns.set(known.field, column)
    ranks.set(known.field, known.rank)
  }
  for (const [field, name] of mapping) columns.set(field, columnNamed(names, name, `${path}: --map ${field}=${name}`))
  if (hasSymbol) columns.delete('symbol')
  const needed: readonly FieldName[] = hasSymbol ? ['timestamp', 'close'] : ['symbol', 'timestamp', 'close']
  const missing = needed.filter((field) => !columns.has(field))
  if (missing.length > 0) {
    const advice = missing.includes('symbol') ? ', or the symbol of all lines with --symbol' : ''
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path}: no column for ${missing.join(', ')} in its header (${listed(names)}): name it with --map FIELD=COLUMN${advice}`,
    )
  }
  return new Map(fieldNames.flatMap((field) => [...columns].filter(([found]) => found === field)))
}

/** Exactly so, or else whatever its case. */
function columnNamed(names: readonly string[], wanted: string, place: string): number {
  const exact = names.indexOf(wanted)
  if (exact >= 0) return exact
  const found = names.findIndex((name) => name.toLowerCase() === wanted.toLowerCase())
  if (found >= 0) return found
  throw new KpiError('KPI_FEED_FILE', `${place}: there is no such column (${listed(names)})`)
}

function listed(names: readonly string[]): string {
  const text = names
    .slice(0, 12)
    .join(', ')
    .replace(/[^\x20-\x7e]/g, '?')
  return text.length > 120 || names.length > 12 ? `${text.slice(0, 120)}…` : text
}
