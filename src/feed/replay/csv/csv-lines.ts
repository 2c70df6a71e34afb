import type { LineReader } from '../line-reader.ts'
import { FieldText } from '../price-line.ts'
import { CsvSplitter } from './csv-splitter.ts'

const delimiters = ['\t', ';', '|', ','] as const

/**
 * The delimiter that occurs most often in the line, outside of quotes.
 *
 * @param decimal - The decimal separator. If it is a comma, commas are not taken as delimiters when the line has
 *   another delimiter.
 */
export function delimiterOf(line: string, decimal: string): string {
  const bare = line.replace(/"[^"]*"/g, '')
  const counts = delimiters.map((delimiter) => {
    const count = bare.split(delimiter).length - 1
    return delimiter === decimal ? Math.min(count, 0.5) : count
  })
  const most = Math.max(...counts)
  return most === 0 ? ',' : (delimiters[counts.indexOf(most)] ?? ',')
}

/** Splits a CSV line into texts. @returns undefined if the line is not valid CSV. */
export function cellsOf(line: string, delimiter: string): string[] | undefined {
  const bytes = Buffer.from(line)
  const splitter = new CsvSplitter(delimiter.charCodeAt(0))
  return splitter.split(bytes, 0, bytes.length) === 'split' ? texts(splitter, bytes) : undefined
}

/** The fields of the reader's current line, joined with the lines after it while a quote is open. */
export function currentCells(reader: LineReader, splitter: CsvSplitter): string[] | undefined {
  let state = splitter.split(reader.buffer, reader.start, reader.end)
  while (state === 'open' && reader.join()) state = splitter.goOn(reader.buffer, reader.end)
  if (state === 'split') return texts(splitter, reader.buffer)
  reader.split()
  return undefined
}

function texts(splitter: CsvSplitter, bytes: Buffer): string[] {
  const text = new FieldText()
  return Array.from({ length: splitter.count }, (_, field) => {
    splitter.read(field, bytes, text)
    return text.toString()
  })
}
