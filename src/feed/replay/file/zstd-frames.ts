import type { FileHandle } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { fileChunks } from './file-chunks.ts'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
/** The size of the magic number, the descriptor and the longest frame header. */
const mostHeaderBytes = 18
const blockHeaderBytes = 3
const checksumBytes = 4
const repeatedBlock = 1

/**
 * The content of a Zstandard file. node:zlib silently stops after the first frame, but tools that compress in
 * parallel write many frames. Therefore each frame gets a stream of its own; its length is found from its block
 * headers (RFC 8878).
 */
export async function* unpackZstd(handle: FileHandle, chunkBytes: number): AsyncGenerator<Buffer> {
  const { size } = await handle.stat()
  for (let start = 0; start < size; ) {
    const { end, isSkippable } = await frameAt(handle, start, size)
    if (!isSkippable) {
      const decompress = createZstdDecompress({ chunkSize: chunkBytes })
      yield* pipeline(Readable.from(fileChunks(handle, start, end)), decompress, () => undefined)
    }
    start = end
  }
}

async function frameAt(
  handle: FileHandle,
  start: number,
  size: number,
): Promise<{ end: number; isSkippable: boolean }> {
  const header = Buffer.alloc(mostHeaderBytes)
  await handle.read(header, 0, mostHeaderBytes, start)
  const magic = header.readUInt32LE(0)
  // A skippable frame has one of sixteen magic numbers, which differ in the last four bits.
  if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
    return { end: Math.min(size, start + 8 + header.readUInt32LE(4)), isSkippable: true }
  }
  if (magic !== frameMagic) throw new Error(`no zstd frame begins at byte ${start}, behind the one before it`)
  const descriptor = header[4] ?? 0
  let at = start + 5 + headerFieldBytes(descriptor)
  const block = Buffer.alloc(blockHeaderBytes)
  for (let isLast = false; !isLast && at < size; ) {
    await handle.read(block, 0, blockHeaderBytes, at)
    const value = block.readUIntLE(0, blockHeaderBytes)
    isLast = (value & 1) === 1
    const type = (value >> 1) & 3
    at += blockHeaderBytes + (type === repeatedBlock ? 1 : value >> 3)
    if (type > 2) throw new Error(`a zstd block of an unknown type before byte ${at}`)
  }
  const hasChecksum = (descriptor & 4) !== 0
  return { end: Math.min(size, at + (hasChecksum ? checksumBytes : 0)), isSkippable: false }
}

/** The size of the window, dictionary and content-size fields, according to the frame header's descriptor. */
function headerFieldBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize
}
