import { KpiError } from '../../errors.ts'
import { CsvFormat, type CsvFormatOptions } from './csv-format.ts'
import { JsonFormat } from './json-format.ts'
import type { LineReader } from './line-reader.ts'
import type { LineFormat } from './price-line.ts'

const space = 0x20
const tab = 0x09

/**
 * Finds out from the first line of a file that is not blank how its lines are to be read. `next` then moves to the first
 * line of prices.
 *
 * @throws KpiError `KPI_FEED_FILE`.
 */
export async function openFormat(reader: LineReader, options: CsvFormatOptions): Promise<LineFormat> {
  const { path } = options
  while (await reader.advance()) {
    const text = reader.buffer.toString('latin1', reader.start, reader.end).trimStart()
    if (text === '') continue
    if (reader.isTooLong || isBinary(reader)) {
      throw new KpiError('KPI_FEED_FILE', `${path} is neither CSV nor JSON lines in UTF-8`)
    }
    if (text.startsWith('[')) {
      throw new KpiError('KPI_FEED_FILE', `${path} is a JSON array: it has to be one JSON object a line`)
    }
    if (!text.startsWith('{')) return new CsvFormat(reader, options)
    reader.putBack()
    return new JsonFormat(reader, options)
  }
  throw new KpiError('KPI_FEED_FILE', `${path} is empty`)
}

/** UTF-16, a file packed by something else, any binary one. */
function isBinary({ buffer, start, end }: LineReader): boolean {
  return buffer.subarray(start, end).some((byte) => byte < space && byte !== tab)
}
