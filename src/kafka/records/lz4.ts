import { corrupt } from './byte-reader.ts'
import { copyLiteral, copyMatch, viewOf } from './copy-bytes.ts'

/**
 * Decompresses LZ4 frames, with linked or independent blocks. Their own checksums are skipped, since the batch's
 * checksum covers these bytes. For why the library's decompressor is not used, see snappy.ts. Format:
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
export function decompressLz4(packed: Buffer, maxBytes: number): Buffer {
  const blocks = findBlocks(packed)
  // One compressed byte decompresses to at most 255, and a block to at most the maximum size of its kind.
  let most = 0
  for (const { start, end, isPacked, sizeLimit } of blocks) {
    most += Math.min(sizeLimit, isPacked ? 255 * (end - start) : end - start)
  }
  const unpacked = Buffer.allocUnsafeSlow(Math.min(most, maxBytes))
  const from = viewOf(packed)
  const out = viewOf(unpacked)
  let to = 0
  for (const { start, end, isPacked, sizeLimit } of blocks) {
    const limit = Math.min(unpacked.length, to + sizeLimit)
    if (isPacked) to = unpackBlock(from, start, end, out, to, limit)
    else if (to + end - start > limit) throw corrupt('a batch that is too large when decompressed')
    else to = copyLiteral(from, start, out, to, end - start)
  }
  return unpacked.subarray(0, to)
}

interface Block {
  readonly start: number
  readonly end: number
  readonly isPacked: boolean
  readonly sizeLimit: number
}

const magic = 0x184d2204
// Bits of a frame's first byte.
const blockChecksumBit = 0x10
const contentSizeBit = 0x08
const contentChecksumBit = 0x04
const dictionaryBit = 0x01
/** The high bit of a block's length: the block is not compressed. */
const plainBit = 0x8000_0000
const checksumBytes = 4

function findBlocks(packed: Buffer): Block[] {
  const blocks: Block[] = []
  for (let at = 0; at < packed.length; ) {
    if (at + 7 > packed.length || packed.readUInt32LE(at) !== magic) throw corrupt('an lz4 frame without its magic')
    const flags = packed[at + 4] ?? 0
    const sizeLimit = 1 << (8 + 2 * (((packed[at + 5] ?? 0) >> 4) & 7))
    if (flags >> 6 !== 1 || flags & dictionaryBit || sizeLimit < 65_536) throw corrupt('an lz4 frame of unknown kind')
    at += flags & contentSizeBit ? 15 : 7
    for (;;) {
      const word = at + 4 <= packed.length ? packed.readUInt32LE(at) : plainBit
      at += 4
      if (word === 0) break
      const end = at + (word & ~plainBit)
      if (end > packed.length || end === at) throw corrupt('an lz4 block that ends outside its batch')
      blocks.push({ start: at, end, isPacked: word < plainBit, sizeLimit })
      at = flags & blockChecksumBit ? end + checksumBytes : end
    }
    if (flags & contentChecksumBit) at += checksumBytes
  }
  return blocks
}

/** Decompresses one block into `out` from `to` on, up to `limit`. @returns The end of the output. */
function unpackBlock(
  packed: DataView,
  start: number,
  end: number,
  out: DataView,
  begin: number,
  limit: number,
): number {
  let at = start
  let to = begin
  for (;;) {
    if (at >= end) throw corrupt('an lz4 block that ends too early')
    const token = packed.getUint8(at++)
    let count = token >> 4
    if (count === 15) {
      let more = 255
      while (more === 255 && at < end) {
        more = packed.getUint8(at++)
        count += more
      }
    }
    if (at + count > end || to + count > limit) throw corrupt('an lz4 literal that ends outside its block')
    to = copyLiteral(packed, at, out, to, count)
    at += count
    // The last sequence of a block has no match.
    if (at === end) return to
    if (at + 2 > end) throw corrupt('an lz4 block that ends too early')
    const distance = packed.getUint16(at, true)
    at += 2
    count = (token & 15) + 4
    if (count === 19) {
      let more = 255
      while (more === 255 && at < end) {
        more = packed.getUint8(at++)
        count += more
      }
    }
    if (distance === 0 || distance > to || to + count > limit) throw corrupt('an lz4 match from outside its frame')
    to = copyMatch(out, to, distance, count)
  }
}
