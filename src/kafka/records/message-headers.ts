import { ByteReader } from './byte-reader.ts'
import { varintBytes, writeVarint } from './record-batch-writer.ts'

/** Encodes headers as in a record, starting with their count, for `MessageBatch`. */
export function headerBytes(headers: Readonly<Record<string, string>>): Buffer {
  const texts = Object.entries(headers).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)])
  const count = texts.length / 2
  const size = texts.reduce((sum, text) => sum + varintBytes(text.length) + text.length, varintBytes(count))
  const bytes = Buffer.alloc(size)
  let at = writeVarint(bytes, 0, count)
  for (const text of texts) {
    at = writeVarint(bytes, at, text.length)
    at += text.copy(bytes, at)
  }
  return bytes
}

/**
 * Reads the headers of a record, which begin behind its value, by name. Of a repeated name, the last one is used.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT` when they exceed the buffer.
 */
export function readHeaders(buffer: Buffer, valueEnd: number): Map<string, string> {
  const headers = new Map<string, string>()
  walkHeaders(buffer, valueEnd, (nameStart, nameEnd, valueStart, end) => {
    headers.set(buffer.toString('utf8', nameStart, nameEnd), buffer.toString('utf8', valueStart, end))
  })
  return headers
}

/** Returns the end of a record's headers, which begin behind its value. */
export function headersEnd(buffer: Buffer, valueEnd: number): number {
  return walkHeaders(buffer, valueEnd, () => undefined)
}

function walkHeaders(
  buffer: Buffer,
  at: number,
  visit: (nameStart: number, nameEnd: number, valueStart: number, valueEnd: number) => void,
): number {
  const reader = new ByteReader(buffer, at)
  for (let count = length(reader); count > 0; count--) {
    const nameBytes = length(reader)
    const nameStart = reader.advance(nameBytes)
    const valueBytes = length(reader)
    const valueStart = reader.advance(valueBytes)
    visit(nameStart, nameStart + nameBytes, valueStart, valueStart + valueBytes)
  }
  return reader.position
}

/** Zigzag encoding: lengths are encoded as even numbers; odd numbers are negative and mean null. */
function length(reader: ByteReader): number {
  const raw = reader.unsignedVarint()
  return raw % 2 === 0 ? raw / 2 : 0
}
