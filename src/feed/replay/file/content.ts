import type { FileHandle } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { chunkBytes, fileChunks } from './file-chunks.ts'
import type { Encoding, Packing } from './file-kind.ts'
import { unpackZip } from './zip-entry.ts'
import { unpackZstd } from './zstd-frames.ts'

export interface ContentOptions {
  readonly path: string
  readonly handle: FileHandle
  readonly packing: Packing
  readonly encoding: Encoding
}

/**
 * Reads the content of a file as a stream: unpacked, converted to UTF-8, and cut to the size of the caller's buffer.
 */
export class Content {
  readonly #chunks: AsyncGenerator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(options: ContentOptions) {
    const unpacked = unpackedChunks(options)
    this.#chunks = options.encoding === 'utf-8' ? unpacked : inUtf8(unpacked, options.encoding)
  }

  /** Reads the next bytes into `buffer[at, …)`. @returns The number of bytes, 0 at the end. */
  async read(buffer: Buffer, at: number): Promise<number> {
    while (this.#chunk.length === 0) {
      const { value, done } = await this.#chunks.next()
      if (done) return 0
      this.#chunk = value
    }
    const copied = this.#chunk.copy(buffer, at)
    this.#chunk = this.#chunk.subarray(copied)
    return copied
  }

  /** Closes the underlying streams. The file handle stays open. */
  async stop(): Promise<void> {
    await this.#chunks.return(undefined)
  }
}

function unpackedChunks({ path, handle, packing }: ContentOptions): AsyncGenerator<Buffer> {
  switch (packing) {
    case 'none':
      return fileChunks(handle)
    case 'gzip':
      return unpackGzip(handle)
    case 'zip':
      return unpackZip(handle, path)
    case 'zstd':
      return unpackZstd(handle, chunkBytes)
  }
}

async function* unpackGzip(handle: FileHandle): AsyncGenerator<Buffer> {
  // pipeline() forwards errors to the reader of the last stream.
  yield* pipeline(Readable.from(fileChunks(handle)), createGunzip({ chunkSize: chunkBytes }), () => undefined)
}

async function* inUtf8(chunks: AsyncIterable<Buffer>, encoding: Encoding): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }))
  yield Buffer.from(decoder.decode())
}
