import { KpiError } from '../../errors.ts'
import { CsvFormat } from './csv/csv-format.ts'
import { cellsOf, delimiterOf } from './csv/csv-lines.ts'
import { openCsv } from './csv/open-csv.ts'
import { ElementReader } from './json/element-reader.ts'
import { openArrays, openObjects } from './json/open-json.ts'
import { LineReader } from './line-reader.ts'
import type { LineFormat, RecordReader } from './price-line.ts'
import type { FormatOptions } from './read-options.ts'
import type { ReplayFile } from './replay-file.ts'
import type { TimeChoice } from './time/time-columns.ts'

/** A file whose format is known. */
export interface OpenedFormat {
  /** Positioned before the first price. */
  readonly reader: RecordReader
  readonly format: LineFormat
  readonly time: TimeChoice
}

const space = 0x20
const tab = 0x09
const separatorLine = /^"?sep=(.)"?$/i

/**
 * Detects how to read the lines of a file: from the first line that is not skipped, blank or a comment, and from up
 * to a thousand lines after it.
 *
 * @throws KpiError `KPI_FEED_FILE`.
 */
export async function openFormat(file: ReplayFile, options: FormatOptions): Promise<OpenedFormat> {
  const lines = new LineReader(file)
  const { delimiter, text } = await findFirstLine(lines, options)
  const first = { line: lines.line, position: lines.position }
  const reader =
    text.startsWith('[') && (await isArrayFile(lines, text)) ? new ElementReader(file, first.position) : lines
  let opened: { readonly format: LineFormat; readonly time: TimeChoice }
  let isHeader = false
  if (reader instanceof ElementReader) {
    await reader.restart()
    const isOfArrays = (await reader.advance()) && reader.buffer[reader.start] === openBracket
    await reader.restart()
    opened = await (isOfArrays ? openArrays : openObjects)(reader, options, 'elements')
  } else if (text.startsWith('[') || text.startsWith('{')) {
    lines.putBack()
    opened = await (text.startsWith('[') ? openArrays : openObjects)(lines, options, 'lines')
  } else {
    opened = await openCsv(lines, options, delimiter)
    isHeader = options.columns === undefined
  }
  await reader.restart()
  if (reader instanceof LineReader) await goTo(reader, opened.format, { line: first.line, isHeader })
  checkZone(opened.time, options)
  return { reader, ...opened }
}

/** Moves to before the first price. */
async function goTo(reader: LineReader, format: LineFormat, first: { line: number; isHeader: boolean }): Promise<void> {
  while (reader.line < first.line && (await reader.advance()));
  if (first.isHeader && format instanceof CsvFormat) format.skipHeader()
  else reader.putBack()
}

/**
 * Skips what may be above the first line of a table. @returns That line, and the delimiter that a line above it
 * names.
 */
async function findFirstLine(
  reader: LineReader,
  options: FormatOptions,
): Promise<{ delimiter?: string; text: string }> {
  const { path, skipLines = 0 } = options
  while (reader.line < skipLines && (await reader.advance()));
  let delimiter: string | undefined
  let isEmpty = reader.line === 0
  while (await reader.advance()) {
    const text = reader.buffer.toString('utf8', reader.start, reader.end).trim()
    if (text === '') continue
    isEmpty = false
    const separator = separatorLine.exec(reader.buffer.toString('utf8', reader.start, reader.end))
    if (separator) delimiter = separator[1]
    else if (!text.startsWith('#') || isPriceOfSign(text, options, delimiter)) {
      if (reader.isTooLong && !text.startsWith('[')) throw notText(path)
      if (isBinary(reader)) throw notText(path)
      return { text, ...(delimiter === undefined ? {} : { delimiter }) }
    }
  }
  const why = isEmpty
    ? 'is empty'
    : skipLines > 0
      ? `has no line below the ${skipLines} that --skip-lines skips`
      : 'has no line that is a price'
  throw new KpiError('KPI_FEED_FILE', `${path} ${why}`)
}

/**
 * Symbols may begin with a #. In a file without a header, a line that begins with # is a comment unless it has all
 * columns.
 */
function isPriceOfSign(text: string, { columns, signs }: FormatOptions, delimiter: string | undefined): boolean {
  if (columns?.[0] !== 'symbol') return false
  const cells = cellsOf(text, delimiter ?? delimiterOf(text, signs?.decimal ?? '.'))
  return cells !== undefined && cells.length >= columns.length
}

function notText(path: string): KpiError {
  return new KpiError('KPI_FEED_FILE', `${path} is neither CSV nor JSON lines in UTF-8: save it as CSV in UTF-8 first`)
}

/** Whether the file is UTF-16 without a byte-order mark, in an unknown compression, or otherwise binary. */
function isBinary({ buffer, start, end }: LineReader): boolean {
  return buffer.subarray(start, end).some((byte) => byte < space && byte !== tab)
}

/**
 * Whether the whole file is one array. Otherwise each line is an array with the values of a price, so it begins with
 * a value.
 */
async function isArrayFile(reader: LineReader, text: string): Promise<boolean> {
  let rest = text.slice(1).trimStart()
  while (rest === '' && (await reader.advance())) {
    rest = reader.buffer.toString('utf8', reader.start, reader.end).trim()
  }
  return /^[[{\]]/.test(rest)
}

/** @throws KpiError `KPI_FEED_FILE` if the file says UTC and the user named another zone. */
function checkZone({ isUtc, timestamp, clock }: TimeChoice, { path, timeZone }: FormatOptions): void {
  if (!isUtc || timeZone === undefined || /^(?:UTC|Etc\/UTC|GMT|Etc\/GMT)$/.test(timeZone.name)) return
  const names = clock === undefined ? timestamp : `${timestamp}+${clock}`
  throw new KpiError(
    'KPI_FEED_FILE',
    `${path}: its times are called UTC ('${names}'): leave out --time-zone, or insist with --map 'timestamp=${names}'`,
  )
}

const openBracket = 0x5b
