import { KpiError } from '../../../errors.ts'
import { fieldOf } from '../field-names.ts'
import { isLineOfValues, recogniseLayout } from '../layouts.ts'
import type { LineReader } from '../line-reader.ts'
import { cellsOf, delimiterOf } from './csv-lines.ts'

/** How many lines are searched for a header. */
const searchedLines = 20

/** Column names as a log line shows them. */
export function listed(names: readonly string[]): string {
  const text = names
    .slice(0, 12)
    .join(', ')
    .replace(/[^\x20-\x7e]/g, '?')
  return text.length > 120 || names.length > 12 ? `${text.slice(0, 120)}…` : text
}

/**
 * Explains why the first line of a file is not a usable header and what the user can do: the file has no header, the
 * header is further down, or it lacks a required name.
 */
export async function headRefusal(
  reader: LineReader,
  head: {
    readonly path: string
    readonly names: readonly string[]
    readonly missing: readonly string[]
    readonly decimal: string
  },
): Promise<KpiError> {
  const { path, names, missing } = head
  if (isLineOfValues(names))
    return new KpiError('KPI_FEED_FILE', withoutHeader(path, names, missing.includes('symbol')))
  const line = looksLikeHeader(names) ? undefined : await findHeader(reader, head.decimal)
  if (line !== undefined) {
    return new KpiError(
      'KPI_FEED_FILE',
      `${path}: its first line is no header (${listed(names)}), but line ${line} observations like one: skip the lines above it with --skip-lines ${line - 1}`,
    )
  }
  const advice = missing.includes('symbol') ? ', or the symbol of all lines with --symbol' : ''
  return new KpiError(
    'KPI_FEED_FILE',
    `${path}: no column for ${missing.join(', ')} in its header (${listed(names)}): name it with --map FIELD=COLUMN${advice}`,
  )
}

function withoutHeader(path: string, cells: readonly string[], lacksSymbol: boolean): string {
  const found = recogniseLayout(cells)
  const start = `${path} has no header: its first line consists of values (${listed(cells)})`
  if (!found)
    return `${start}; name its columns with --columns, such as --columns timestamp,close,volume (- for one that is not read)`
  const symbol = lacksSymbol && !found.columns.startsWith('symbol') ? ' and --symbol NAME' : ''
  const layout = found.layout === undefined ? '' : `, which is --layout ${found.layout}`
  return `${start}; if they are what they look like, read it with --columns ${found.columns}${symbol}${layout}`
}

/** The number of a later line that names the columns of a price. */
async function findHeader(reader: LineReader, decimal: string): Promise<number | undefined> {
  while (reader.line < searchedLines && (await reader.advance())) {
    const text = reader.buffer.toString('utf8', reader.start, reader.end)
    const cells = reader.isTooLong ? undefined : cellsOf(text, delimiterOf(text, decimal))
    if (cells && looksLikeHeader(cells)) return reader.line
  }
  return undefined
}

function looksLikeHeader(cells: readonly string[]): boolean {
  const fields = new Set(cells.flatMap((cell) => fieldOf(cell)?.field ?? []))
  return fields.size >= 2 && (fields.has('timestamp') || fields.has('close')) && !isLineOfValues(cells)
}
