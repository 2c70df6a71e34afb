import type { FileHandle } from 'node:fs/promises'

export type Packing = 'none' | 'gzip' | 'zip' | 'zstd'

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

interface Magic {
  readonly bytes: string
  /** Offset in the file. */
  readonly at: number
}

const packings: readonly (Magic & { readonly packing: Packing })[] = [
  { packing: 'gzip', at: 0, bytes: '\x1f\x8b' },
  { packing: 'zip', at: 0, bytes: 'PK\x03\x04' },
  { packing: 'zip', at: 0, bytes: 'PK\x05\x06' },
  { packing: 'zstd', at: 0, bytes: '\x28\xb5\x2f\xfd' },
]

const unpackFirst = 'decompress it first'
const saveAsCsv = 'save it as CSV in UTF-8 first'

/** File types that are recognised only to reject them with a helpful message. */
const others: readonly (Magic & { readonly name: string; readonly advice: string })[] = [
  { at: 0, bytes: 'BZh', name: 'compressed with bzip2 (bz2)', advice: `${unpackFirst} (bunzip2)` },
  { at: 0, bytes: '\xfd7zXZ\x00', name: 'compressed with xz', advice: `${unpackFirst} (unxz)` },
  { at: 0, bytes: '\x5d\x00\x00', name: 'compressed with lzma', advice: `${unpackFirst} (unlzma)` },
  { at: 0, bytes: '7z\xbc\xaf\x27\x1c', name: 'a 7z archive', advice: unpackFirst },
  { at: 0, bytes: 'Rar!', name: 'a rar archive', advice: unpackFirst },
  { at: 0, bytes: '\x04\x22\x4d\x18', name: 'compressed with lz4', advice: `${unpackFirst} (unlz4)` },
  { at: 0, bytes: '\x1f\x9d', name: 'compressed with compress (.Z)', advice: `${unpackFirst} (uncompress)` },
  { at: 0, bytes: 'LZIP', name: 'compressed with lzip', advice: `${unpackFirst} (lzip -d)` },
  { at: 0, bytes: '\xff\x06\x00\x00sNaPpY', name: 'compressed with snappy', advice: unpackFirst },
  { at: 257, bytes: 'ustar', name: 'a tar archive', advice: `${unpackFirst} and replay its files one by one` },
  { at: 0, bytes: 'PAR1', name: 'a Parquet file', advice: 'export it as CSV first' },
  { at: 0, bytes: 'ARROW1', name: 'an Arrow file', advice: 'export it as CSV first' },
  { at: 0, bytes: '\x89HDF', name: 'an HDF5 file', advice: 'export it as CSV first' },
  { at: 0, bytes: 'SQLite format 3', name: 'a SQLite database', advice: 'export it as CSV first' },
  { at: 0, bytes: '\xd0\xcf\x11\xe0', name: 'an Excel workbook', advice: saveAsCsv },
  { at: 0, bytes: '%PDF', name: 'a PDF document', advice: saveAsCsv },
  { at: 0, bytes: '\xff\xfe\x00\x00', name: 'text in UTF-32', advice: 'save it in UTF-8 first' },
  { at: 0, bytes: '\x00\x00\xfe\xff', name: 'text in UTF-32', advice: 'save it in UTF-8 first' },
]

const isAt = (start: Buffer, { bytes, at }: Magic) => start.toString('latin1', at, at + bytes.length) === bytes

/** These functions need at most this many bytes of the file or its content. */
export const kindBytes = 512

export async function readStart(handle: FileHandle): Promise<Buffer> {
  const start = Buffer.alloc(kindBytes)
  const { bytesRead } = await handle.read(start, 0, kindBytes, 0)
  return start.subarray(0, bytesRead)
}

/** Detects the compression from the first bytes, not from the file name. */
export function packingOf(start: Buffer): Packing {
  if (isSkippableFrame(start)) return 'zstd'
  return packings.find((magic) => isAt(start, magic))?.packing ?? 'none'
}

/**
 * Explains why a file, or the content packed in it, cannot be read, and what the user can do.
 *
 * @returns undefined if no problem was found.
 */
export function refusalOf(start: Buffer): string | undefined {
  const found = others.find((magic) => isAt(start, magic))
  return found && `is ${found.name}: ${found.advice}`
}

/** Detected by the byte-order mark. A text without one must be UTF-8. */
export function encodingOf(start: Buffer): Encoding {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le'
  return start[0] === 0xfe && start[1] === 0xff ? 'utf-16be' : 'utf-8'
}

/** A Zstandard stream may begin with a frame that has no content. */
function isSkippableFrame(start: Buffer): boolean {
  return ((start[0] ?? 0) & 0xf0) === 0x50 && start.toString('latin1', 1, 4) === '\x2a\x4d\x18'
}
