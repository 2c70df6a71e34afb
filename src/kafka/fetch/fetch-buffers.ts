/**
 * Where fetch answers of one broker are gathered, used again and again.
 *
 * An answer arrives in pieces and is read in one. A new buffer for each would be garbage at the rate of the network:
 * V8 counts such memory and collects the whole heap for every 64 MiB of it, which took a third of the time.
 * Two take turns, because the next answer may arrive before the last one's records are worked on; not the one after it,
 * since a pump has one request in flight. Where another thread works on them there are three.
 */
export class FetchBuffers {
  readonly #buffers: Buffer[]
  readonly #isShared: boolean
  #turn = 0

  constructor({ count = 2, isShared = false }: FetchBuffersOptions = {}) {
    this.#buffers = Array.from({ length: count }, () => Buffer.alloc(0))
    this.#isShared = isShared
  }

  /** The pieces in one buffer, valid until it is this buffer's turn again. */
  gather(pieces: readonly Uint8Array[], byteLength: number): Buffer {
    const memory = this.take(byteLength)
    let at = 0
    for (const piece of pieces) {
      memory.set(piece, at)
      at += piece.length
    }
    return memory.subarray(0, byteLength)
  }

  /** A buffer of at least so many bytes, whatever is in it. */
  take(byteLength: number): Buffer {
    this.#turn = (this.#turn + 1) % this.#buffers.length
    const memory = this.#buffers[this.#turn] as Buffer
    // Room for a little more, since answers grow in steps; and one huge answer is not kept for ever.
    const isRight = memory.length >= byteLength && memory.length <= Math.max(largestKept, byteLength)
    if (isRight) return memory
    const size = Math.max(smallest, Math.ceil(byteLength * 1.25))
    const made = this.#isShared ? Buffer.from(new SharedArrayBuffer(size)) : Buffer.allocUnsafeSlow(size)
    this.#buffers[this.#turn] = made
    return made
  }
}

export interface FetchBuffersOptions {
  /** How many answers are kept at once. @defaultValue 2 */
  readonly count?: number
  /** Whether other threads can see it. @defaultValue false */
  readonly isShared?: boolean
}

/**
 * Gives the memory of pieces back now, not when V8 collects: it counts received bytes, and a collection for every few
 * megabytes took a seventh of the time. Only when nobody looks at them any more.
 */
export function release(pieces: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of pieces) {
    // One that is not whole may share its memory with a piece of another answer.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
  }
}

const kibibyte = 1024
const smallest = 64 * kibibyte
/** A usual answer is at most 8 MiB; one batch may be larger. */
const largestKept = 12 * kibibyte * kibibyte
