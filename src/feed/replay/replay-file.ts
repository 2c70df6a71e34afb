import { type FileHandle, open } from 'node:fs/promises'
import { KpiError, messageOf } from '../../errors.ts'
import { Content } from './file/content.ts'
import { chunkBytes } from './file/file-chunks.ts'
import {
  type Encoding,
  encodingOf,
  kindBytes,
  type Packing,
  packingOf,
  readStart,
  refusalOf,
} from './file/file-kind.ts'

/** How much of the beginning identifies a file. */
export const prefixBytes = 64 * 1024

interface Opened {
  readonly path: string
  readonly handle: FileHandle
  readonly packing: Packing
  readonly encoding: Encoding
  readonly prefix: Buffer
}

/**
 * The content of a file, unpacked (gzip, zip or zstd, recognised by the first bytes, not by the name) and converted
 * to UTF-8. It is read into a buffer of the caller, so memory holds no more than that. Positions count bytes of the
 * content.
 */
export class ReplayFile {
  readonly path: string
  readonly packing: Packing
  readonly encoding: Encoding
  /** The first bytes of the content. */
  readonly prefix: Buffer
  readonly #handle: FileHandle
  #position = 0
  #content: Content | undefined

  /** @throws KpiError `KPI_FEED_FILE`. */
  static async open(path: string): Promise<ReplayFile> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path)
      if (!(await handle.stat()).isFile()) throw new KpiError('KPI_FEED_FILE', `${path} is not a file`)
      return new ReplayFile(await recognised(path, handle))
    } catch (error) {
      await handle?.close()
      throw unreadable(path, error)
    }
  }

  private constructor({ path, handle, packing, encoding, prefix }: Opened) {
    this.path = path
    this.#handle = handle
    this.packing = packing
    this.encoding = encoding
    this.prefix = prefix
  }

  /** The position where the next read begins. */
  get position(): number {
    return this.#position
  }

  /**
   * Whether reading can start in the middle. A packed file, or one in another encoding, must be read from its
   * beginning.
   */
  get isSeekable(): boolean {
    return this.packing === 'none' && this.encoding === 'utf-8'
  }

  seek(position: number): void {
    if (!this.isSeekable) throw new RangeError('a compressed file has no positions to seek')
    this.#position = position
  }

  /** Goes back to the beginning. */
  async rewind(): Promise<void> {
    await this.#content?.stop()
    this.#content = undefined
    this.#position = 0
  }

  /**
   * Reads the next bytes into `buffer[at, …)`. @returns The number of bytes, 0 at the end.
   *
   * @throws KpiError `KPI_FEED_FILE` when the file cannot be read any further.
   */
  async read(buffer: Buffer, at: number): Promise<number> {
    try {
      const bytes = this.isSeekable ? await this.#readPlain(buffer, at) : await this.#readContent(buffer, at)
      this.#position += bytes
      return bytes
    } catch (error) {
      throw unreadable(this.path, error, this.#position)
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#content?.stop()
    await this.#handle.close()
  }

  async #readPlain(buffer: Buffer, at: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, at, Math.min(chunkBytes, buffer.length - at), this.#position)
    return bytesRead
  }

  #readContent(buffer: Buffer, at: number): Promise<number> {
    const { path, packing, encoding } = this
    this.#content ??= new Content({ path, packing, encoding, handle: this.#handle })
    return this.#content.read(buffer, at)
  }
}

/** @throws KpiError `KPI_FEED_FILE` if the type of the file is not supported. */
async function recognised(path: string, handle: FileHandle): Promise<Opened> {
  const start = await readStart(handle)
  refuse(path, start)
  const packing = packingOf(start)
  const encoding = packing === 'none' ? encodingOf(start) : encodingOf(await readBeginning({ path, handle, packing }))
  const prefix = await readBeginning({ path, handle, packing, encoding, bytes: prefixBytes })
  if (packing !== 'none') refusePacked(path, packing, prefix)
  return { path, handle, packing, encoding, prefix }
}

function refuse(path: string, start: Buffer): void {
  const refusal = refusalOf(start)
  if (refusal !== undefined) throw new KpiError('KPI_FEED_FILE', `${path} ${refusal}`)
}

/** Rejects packed content that is itself an archive. A tar archive packed with gzip also holds several files. */
function refusePacked(path: string, packing: Packing, content: Buffer): void {
  const inner = packingOf(content)
  const refusal =
    inner === 'none' ? refusalOf(content) : `is compressed twice, with ${packing} and ${inner}: decompress it once`
  if (refusal === undefined) return
  throw new KpiError('KPI_FEED_FILE', `${path} ${inner === 'none' ? `(${packing}) holds what ${refusal}` : refusal}`)
}

async function readBeginning(options: {
  readonly path: string
  readonly handle: FileHandle
  readonly packing: Packing
  readonly encoding?: Encoding
  readonly bytes?: number
}): Promise<Buffer> {
  const { encoding = 'utf-8', bytes = kindBytes } = options
  const beginning = Buffer.alloc(bytes)
  const content = new Content({ ...options, encoding })
  try {
    for (let at = 0; ; ) {
      const read = await content.read(beginning, at)
      at += read
      if (read === 0 || at === bytes) return beginning.subarray(0, at)
    }
  } finally {
    await content.stop()
  }
}

function unreadable(path: string, error: unknown, position?: number): KpiError {
  if (error instanceof KpiError) return error
  const where = position === undefined ? '' : ` beyond byte ${position}`
  return new KpiError('KPI_FEED_FILE', `${path} cannot be read${where}: ${reasonOf(error)}`, { cause: error })
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'Z_BUF_ERROR') return 'it is cut off'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it begins as UTF-16, but is not UTF-16 after that'
  return messageOf(error)
}
