/**
 * The two copy operations of decompression. Most copies are of a few bytes: for these a function call costs more than
 * the copy, and copying four bytes at once is faster than one by one.
 */

/** From this size on, a call is faster. */
const manyBytes = 64

/** @returns The end of the copy. */
export function copyLiteral(from: DataView, at: number, out: DataView, to: number, count: number): number {
  if (count >= manyBytes) {
    bytesOf(out, to, count).set(bytesOf(from, at, count))
    return to + count
  }
  let i = 0
  for (; i + 4 <= count; i += 4) out.setInt32(to + i, from.getInt32(at + i, true), true)
  for (; i < count; i++) out.setUint8(to + i, from.getUint8(at + i))
  return to + count
}

/** Copies the bytes at `distance` before `to`; source and target may overlap. @returns The end of the copy. */
export function copyMatch(out: DataView, to: number, distance: number, count: number): number {
  const end = to + count
  if (count >= manyBytes && distance >= count) {
    bytesOf(out, to, count).set(bytesOf(out, to - distance, count))
    return end
  }
  let at = to
  // With a distance below four, a word would overlap its source and read bytes that are not written yet.
  if (distance >= 4) for (; at + 4 <= end; at += 4) out.setInt32(at, out.getInt32(at - distance, true), true)
  for (; at < end; at++) out.setUint8(at, out.getUint8(at - distance))
  return end
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

function bytesOf(view: DataView, start: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, length)
}
