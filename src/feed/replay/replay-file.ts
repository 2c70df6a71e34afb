import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import { KpiError, messageOf } from '../../errors.ts'

/** How much of the beginning tells one file from another. */
export const prefixBytes = 64 * 1024
const chunkBytes = 256 * 1024

/**
 * A file's content, unpacked where it is gzip (told by its first bytes, not by its name), in a buffer of the caller's: no
 * more of it is in memory. Positions count unpacked bytes.
 */
export class ReplayFile {
  readonly path: string
  readonly isGzip: boolean
  /** The first bytes of the content. */
  readonly prefix: Buffer
  readonly #handle: FileHandle
  #position = 0
  #unpacked: UnpackedBytes | undefined

  /** @throws KpiError `KPI_FEED_FILE`. */
  static async open(path: string): Promise<ReplayFile> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path)
      if (!(await handle.stat()).isFile()) throw new KpiError('KPI_FEED_FILE', `${path} is not a file`)
      const isGzip = await startsAsGzip(handle)
      return new ReplayFile(path, handle, isGzip, await readPrefix(handle, isGzip))
    } catch (error) {
      await handle?.close()
      throw unreadable(path, error)
    }
  }

  private constructor(path: string, handle: FileHandle, isGzip: boolean, prefix: Buffer) {
    this.path = path
    this.#handle = handle
    this.isGzip = isGzip
    this.prefix = prefix
  }

  /** Where the next read begins. */
  get position(): number {
    return this.#position
  }

  /** Only what is not packed can be entered in the middle. */
  seek(position: number): void {
    if (this.isGzip) throw new RangeError('a packed file has no positions to seek')
    this.#position = position
  }

  /**
   * Reads what comes next into `buffer[at, …)`. @returns How many bytes, 0 at the end.
   *
   * @throws KpiError `KPI_FEED_FILE` when the file cannot be read any further.
   */
  async read(buffer: Buffer, at: number): Promise<number> {
    try {
      const bytes = this.isGzip ? await this.#readUnpacked(buffer, at) : await this.#readPlain(buffer, at)
      this.#position += bytes
      return bytes
    } catch (error) {
      throw unreadable(this.path, error, this.#position)
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#unpacked?.stop()
    await this.#handle.close()
  }

  async #readPlain(buffer: Buffer, at: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, at, Math.min(chunkBytes, buffer.length - at), this.#position)
    return bytesRead
  }

  async #readUnpacked(buffer: Buffer, at: number): Promise<number> {
    this.#unpacked ??= new UnpackedBytes(this.#handle)
    return this.#unpacked.read(buffer, at)
  }
}

/** The output of a gunzip stream, handed out in pieces that fit. */
class UnpackedBytes {
  readonly #packed: Readable
  readonly #gunzip: Gunzip
  readonly #chunks: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(handle: FileHandle) {
    this.#packed = Readable.from(packedChunks(handle))
    this.#gunzip = createGunzip({ chunkSize: chunkBytes })
    this.#packed.on('error', (error) => this.#gunzip.destroy(error))
    this.#packed.pipe(this.#gunzip)
    this.#chunks = this.#gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  async read(buffer: Buffer, at: number): Promise<number> {
    if (this.#chunk.length === 0) {
      const { value, done } = await this.#chunks.next()
      if (done) return 0
      this.#chunk = value
    }
    const copied = this.#chunk.copy(buffer, at)
    this.#chunk = this.#chunk.subarray(copied)
    return copied
  }

  stop(): void {
    this.#packed.destroy()
    this.#gunzip.destroy()
  }
}

/** A stream of the handle itself would close it. */
async function* packedChunks(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function startsAsGzip(handle: FileHandle): Promise<boolean> {
  const magic = Buffer.alloc(2)
  await handle.read(magic, 0, 2, 0)
  return magic[0] === 0x1f && magic[1] === 0x8b
}

async function readPrefix(handle: FileHandle, isGzip: boolean): Promise<Buffer> {
  const prefix = Buffer.alloc(prefixBytes)
  const unpacked = isGzip ? new UnpackedBytes(handle) : undefined
  try {
    for (let at = 0; ; ) {
      const bytes = unpacked
        ? await unpacked.read(prefix, at)
        : (await handle.read(prefix, at, prefixBytes - at, at)).bytesRead
      at += bytes
      if (bytes === 0 || at === prefixBytes) return prefix.subarray(0, at)
    }
  } finally {
    unpacked?.stop()
  }
}

function unreadable(path: string, error: unknown, position?: number): KpiError {
  if (error instanceof KpiError) return error
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'ENOENT' ? 'there is no such file' : code === 'Z_BUF_ERROR' ? 'it is cut off' : messageOf(error)
  const where = position === undefined ? '' : ` beyond byte ${position}`
  return new KpiError('KPI_FEED_FILE', `${path} cannot be read${where}: ${why}`, { cause: error })
}
