import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type Entry, fromFdPromise } from 'yauzl'
import { KpiError } from '../../../errors.ts'

/** The macOS Finder adds this folder with metadata of each file. */
const finderFolder = '__MACOSX/'

/**
 * The content of the only file in a zip archive. Folders are ignored.
 *
 * @throws KpiError `KPI_FEED_FILE` if the archive has no file or several, or cannot be unpacked.
 */
export async function* unpackZip(handle: FileHandle, path: string): AsyncGenerator<Buffer> {
  const archive = await fromFdPromise(handle.fd, { autoClose: false, lazyEntries: true })
  const entries: Entry[] = []
  let count = 0
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith('/') || entry.fileName.startsWith(finderFolder)) continue
    count += 1
    if (entries.length < 3) entries.push(entry)
  }
  const [entry] = entries
  if (!entry || count !== 1) throw refusal(path, entries, count)
  if (entry.isEncrypted()) throw new KpiError('KPI_FEED_FILE', `${path} is an encrypted zip archive: extract it first`)
  if (!entry.canDecodeFileData()) {
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path} is a zip archive of an unusual kind (method ${entry.compressionMethod}): extract it first`,
    )
  }
  let checksum = 0
  for await (const chunk of await archive.openReadStreamPromise(entry)) {
    checksum = crc32(chunk as Buffer, checksum)
    yield chunk as Buffer
  }
  if (checksum !== entry.crc32) throw new Error(`the checksum of '${entry.fileName}' in the zip archive is wrong`)
}

function refusal(path: string, entries: readonly Entry[], count: number): KpiError {
  if (entries.some(({ fileName }) => fileName === '[Content_Types].xml')) {
    return new KpiError(
      'KPI_FEED_FILE',
      `${path} is an office document (a zip archive with several files): save it as CSV in UTF-8 first`,
    )
  }
  if (count === 0) return new KpiError('KPI_FEED_FILE', `${path} is a zip archive without a file in it`)
  const names = entries.map(({ fileName }) => fileName.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)).join(', ')
  return new KpiError(
    'KPI_FEED_FILE',
    `${path} is a zip archive with ${count} files (${names}${count > entries.length ? ', …' : ''}): extract it first and replay the files one by one`,
  )
}
