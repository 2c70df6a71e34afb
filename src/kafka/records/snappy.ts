import { corrupt } from './byte-reader.ts'
import { copyLiteral, copyMatch, viewOf } from './copy-bytes.ts'

/**
 * Decompresses Snappy, in the raw format of librdkafka and in the chunked format of the Java client.
 *
 * The library's WebAssembly decompressor is not used: on invalid input it allocates as much memory as the input claims,
 * up to 2 GiB, and after the trap it fails on valid inputs too. Format:
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
export function decompressSnappy(packed: Buffer, maxBytes: number): Buffer {
  if (packed.length < chunkedHeaderBytes || !packed.subarray(0, magic.length).equals(magic)) {
    const out = Buffer.allocUnsafeSlow(unpackedLength(packed, 0, packed.length, maxBytes))
    unpackBlock(packed, 0, packed.length, out, 0)
    return out
  }
  return unpackChunks(packed, maxBytes)
}

/** The header that snappy-java writes before its chunks: this magic, a version and the oldest compatible version. */
const magic = Buffer.from('\x82SNAPPY\0', 'latin1')
const chunkedHeaderBytes = 16

function unpackChunks(packed: Buffer, maxBytes: number): Buffer {
  let total = 0
  for (let at = chunkedHeaderBytes; at < packed.length; at = chunkEnd(packed, at)) {
    total += unpackedLength(packed, at + 4, chunkEnd(packed, at), maxBytes - total)
  }
  const out = Buffer.allocUnsafeSlow(total)
  let written = 0
  for (let at = chunkedHeaderBytes; at < packed.length; at = chunkEnd(packed, at)) {
    written = unpackBlock(packed, at + 4, chunkEnd(packed, at), out, written)
  }
  return out
}

/** A chunk consists of its length and a block. */
function chunkEnd(packed: Buffer, at: number): number {
  const end = at + 4 <= packed.length ? at + 4 + packed.readUInt32BE(at) : Number.POSITIVE_INFINITY
  if (end > packed.length) throw corrupt('a snappy chunk that ends outside its batch')
  return end
}

/** The decompressed size that a block claims, if it is possible. */
function unpackedLength(packed: Buffer, start: number, end: number, maxBytes: number): number {
  const { value } = readLength(packed, start, end)
  if (value > maxBytes) throw corrupt('a batch that is too large when decompressed')
  // The best possible compression is a 3-byte element that copies 64 bytes.
  if (value * 3 > (end - start) * 64) throw corrupt('a snappy block that claims more than it holds')
  return value
}

function readLength(packed: Buffer, start: number, end: number): { value: number; next: number } {
  let value = 0
  let scale = 1
  for (let at = start; at < end && at < start + 5; at++) {
    const byte = packed[at] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, next: at + 1 }
    scale *= 128
  }
  throw corrupt('a snappy block without its length')
}

/** Decompresses one block into `out` from `begin` on. @returns The end of the output. */
function unpackBlock(packed: Buffer, start: number, end: number, out: Buffer, begin: number): number {
  const { value: length, next } = readLength(packed, start, end)
  const outEnd = begin + length
  const from = viewOf(packed)
  const into = viewOf(out)
  let at = next
  let to = begin
  while (at < end) {
    const tag = packed[at++] ?? 0
    const kind = tag & 3
    let count: number
    if (kind === 0) {
      count = (tag >> 2) + 1
      if (count > 60) {
        const extra = count - 60
        if (at + extra > end) throw corrupt('a snappy block that ends too early')
        count = packed.readUIntLE(at, extra) + 1
        at += extra
      }
      if (at + count > end || to + count > outEnd) throw corrupt('a snappy literal that ends outside its block')
      to = copyLiteral(from, at, into, to, count)
      at += count
      continue
    }
    let distance: number
    if (kind === 1) {
      count = ((tag >> 2) & 7) + 4
      distance = ((tag >> 5) << 8) | (packed[at++] ?? 0)
    } else {
      const bytes = kind === 2 ? 2 : 4
      if (at + bytes > end) throw corrupt('a snappy block that ends too early')
      count = (tag >> 2) + 1
      distance = packed.readUIntLE(at, bytes)
      at += bytes
    }
    if (distance === 0 || distance > to - begin || to + count > outEnd || at > end) {
      throw corrupt('a snappy copy from outside its block')
    }
    to = copyMatch(into, to, distance, count)
  }
  if (to !== outEnd) throw corrupt('a snappy block shorter than it claims')
  return outEnd
}
