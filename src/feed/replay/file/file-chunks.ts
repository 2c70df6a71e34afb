import type { FileHandle } from 'node:fs/promises'

export const chunkBytes = 256 * 1024

/**
 * The bytes `[start, end)` of a file. This does not use a stream of the handle, because that would close the handle.
 */
export async function* fileChunks(
  handle: FileHandle,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  for (let position = start; position < end; ) {
    const wanted = Math.min(chunkBytes, end - position)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
