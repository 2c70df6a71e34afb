import { KpiError } from '../../../errors.ts'
import { fieldOf } from '../field-names.ts'
import type { LineReader } from '../line-reader.ts'
import type { SourceField } from '../price-line.ts'
import { type FormatOptions, surveyBytes, surveyLines } from '../read-options.ts'
import { type TimeChoice, TimeColumns } from '../time/time-columns.ts'
import { type ColumnPlaces, mappedNames, placeColumns, volumeNote } from './csv-columns.ts'
import { CsvFormat } from './csv-format.ts'
import { headRefusal, listed } from './csv-head.ts'
import { cellsOf, currentCells, delimiterOf } from './csv-lines.ts'
import { CsvSplitter } from './csv-splitter.ts'

/** How to read the lines of a CSV file, and what was detected about its timestamps. */
export interface OpenedCsv {
  readonly format: CsvFormat
  readonly time: TimeChoice
}

/**
 * Detects how to read a CSV file from the reader's current line (the header or the first price) and from the lines
 * after it. This moves the reader.
 *
 * @param delimiter - From a line such as `sep=;`.
 * @throws KpiError `KPI_FEED_FILE`.
 */
export async function openCsv(reader: LineReader, options: FormatOptions, delimiter?: string): Promise<OpenedCsv> {
  const line = reader.buffer.toString('utf8', reader.start, reader.end)
  const found = delimiter ?? delimiterOf(line, options.signs?.decimal ?? '.')
  return options.columns ? openColumns(reader, options, found) : openHeader(reader, options, found)
}

async function openHeader(reader: LineReader, options: FormatOptions, delimiter: string): Promise<OpenedCsv> {
  const { path } = options
  const splitter = new CsvSplitter(delimiter.charCodeAt(0))
  const names = currentCells(reader, splitter)
  if (!names)
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path}: its first line is no CSV header: ${splitter.problem || 'a quoted field without its end'}`,
    )
  const mapped = mappedNames(names, options)
  const has = (field: SourceField) => mapped.has(field) || names.some((name) => fieldOf(name)?.field === field)
  const needed: readonly SourceField[] =
    options.symbol === undefined ? ['symbol', 'timestamp', 'close'] : ['timestamp', 'close']
  const missing = needed.filter((field) => !has(field))
  if (missing.length > 0)
    throw await headRefusal(reader, { path, names, missing, decimal: options.signs?.decimal ?? '.' })
  const told = { timestamp: mapped.get('timestamp'), clock: mapped.get('clock') }
  const times = new TimeColumns(told, options.timeFormat)
  const symbolColumn =
    options.symbol === undefined
      ? placeColumns(names, { time: undefined, symbols: new Set() }, options).get('symbol')
      : undefined
  const symbols = new Set(options.symbol === undefined ? [] : [options.symbol])
  await survey(reader, splitter, (cells) => {
    const symbol = options.symbol ?? cells[symbolColumn ?? -1] ?? ''
    if (symbol !== '') symbols.add(symbol)
    for (const [column, name] of names.entries()) times.add(name, cells[column] ?? '', symbol)
  })
  const time = times.choose(path) ?? choiceByName(names)
  if (!time)
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path}: no column for timestamp in its header (${listed(names)}): name it with --map FIELD=COLUMN`,
    )
  const places = placeColumns(names, { time, symbols }, options)
  const note = volumeNote(names, places, { symbols, options })
  if (note !== undefined) options.log.info(`${path}: ${note}`)
  const layout = {
    delimiter,
    ...columnCounts(names),
    places,
    countedBy: 'the header has',
    description: describe('CSV', places, (column) => `'${names[column]}'`),
  }
  return { format: new CsvFormat(reader, layout), time }
}

async function openColumns(reader: LineReader, options: FormatOptions, delimiter: string): Promise<OpenedCsv> {
  const { path, columns = [] } = options
  const splitter = new CsvSplitter(delimiter.charCodeAt(0))
  const places = columnPlaces(options)
  const first = cellsOf(reader.buffer.toString('utf8', reader.start, reader.end), delimiter) ?? []
  if (first.length < columns.length) {
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path}: --columns names ${columns.length} columns, line ${reader.line} has ${first.length} (${listed(first)})`,
    )
  }
  const firstLine = reader.line
  const times = columnTimes(options)
  reader.putBack()
  await survey(reader, splitter, (cells) => times.add((column) => cells[column] ?? ''))
  const layout = {
    delimiter,
    ...columnCounts(first),
    places,
    countedBy: `line ${firstLine} has`,
    description: describe('CSV', places, (column) => `column ${column + 1}`),
  }
  return { format: new CsvFormat(reader, layout), time: times.choose(path) }
}

/** @throws KpiError `KPI_FEED_FILE` if no column is the symbol. */
export function columnPlaces({ path, columns = [], symbol }: FormatOptions): ColumnPlaces {
  const places = new Map(columns.flatMap((field, column) => (field === undefined ? [] : [[field, column] as const])))
  if (symbol !== undefined) places.delete('symbol')
  else if (!places.has('symbol')) {
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path}: no column is the symbol: name the symbol of all lines with --symbol, or its column in --columns`,
    )
  }
  return places
}

/** The timestamp columns that the user named. */
export function columnTimes({ columns = [], timeFormat }: FormatOptions) {
  const timestamp = columns.indexOf('timestamp')
  const clock = columns.indexOf('clock')
  const name = (column: number) => (column < 0 ? undefined : String(column))
  const told = { timestamp: name(timestamp), clock: name(clock) }
  const times = new TimeColumns(told, timeFormat)
  return {
    add: (cell: (column: number) => string) => times.add(String(timestamp), cell(timestamp), ''),
    choose: (path: string): TimeChoice => {
      const choice = times.choose(path)
      return { timestamp: '', isUtc: false, isCompact: choice?.isCompact ?? false, clock: told.clock, isFirst: true }
    },
  }
}

/** Chooses the timestamp column by name alone, for a file without values. */
function choiceByName(names: readonly string[]): TimeChoice | undefined {
  const timestamp = names.find((name) => fieldOf(name)?.field === 'timestamp')
  return timestamp === undefined
    ? undefined
    : { timestamp, clock: undefined, isCompact: false, isUtc: false, isFirst: true }
}

/** A delimiter at the end of the first line may be missing in other lines. */
function columnCounts(cells: readonly string[]): { columnCount: number; mostColumns: number } {
  const isLastEmpty = cells.length > 1 && cells.at(-1) === ''
  return { columnCount: isLastEmpty ? cells.length - 1 : cells.length, mostColumns: cells.length }
}

/** Reads the first price lines. */
async function survey(
  reader: LineReader,
  splitter: CsvSplitter,
  add: (cells: readonly string[]) => void,
): Promise<void> {
  const start = reader.position
  for (
    let lines = 0;
    lines < surveyLines && reader.position - start < surveyBytes && (await reader.advance());
    lines++
  ) {
    const cells = reader.isTooLong || reader.start === reader.end ? undefined : currentCells(reader, splitter)
    if (cells) add(cells)
  }
}

export function describe(what: string, places: ColumnPlaces, nameOf: (column: number) => string): string {
  const told = [...places].flatMap(([field, column]) => {
    if (field === 'clock') return []
    const clock = field === 'timestamp' ? places.get('clock') : undefined
    return `${field} from ${nameOf(column)}${clock === undefined ? '' : ` and ${nameOf(clock)}`}`
  })
  return `${what}, ${[...told, ...(places.has('volume') ? [] : ['volume 0, for want of a column'])].join(', ')}`
}
