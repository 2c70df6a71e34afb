/**
 * Reusable buffers for the fetch answers of one broker.
 *
 * An answer arrives in pieces and is read as one buffer. A new buffer for each answer would be garbage at the rate of
 * the network: V8 counts such memory and collects the whole heap for every 64 MiB of it, which took a third of the
 * time. Two buffers alternate, because the next answer may arrive before the records of the last one are processed. Two
 * are enough, since a pump has one request in flight. When another thread processes the records there are three.
 */
export class FetchBuffers {
  readonly #buffers: Buffer[]
  readonly #isShared: boolean
  #turn = 0

  constructor({ count = 2, isShared = false }: FetchBuffersOptions = {}) {
    this.#buffers = Array.from({ length: count }, () => Buffer.alloc(0))
    this.#isShared = isShared
  }

  /** Joins the pieces in one buffer, which is valid until the same buffer is used again. */
  gather(pieces: readonly Uint8Array[], byteLength: number): Buffer {
    const memory = this.take(byteLength)
    let at = 0
    for (const piece of pieces) {
      memory.set(piece, at)
      at += piece.length
    }
    return memory.subarray(0, byteLength)
  }

  /** A buffer of at least this size, with unspecified content. */
  take(byteLength: number): Buffer {
    this.#turn = (this.#turn + 1) % this.#buffers.length
    const memory = this.#buffers[this.#turn] as Buffer
    // Allocates a little more than needed, since answers grow in steps. An unusually large buffer is not kept forever.
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
 * Frees the memory of pieces immediately instead of at the next garbage collection. V8 counts received bytes, and a
 * collection for every few megabytes took a seventh of the time. Call it only when nothing reads the pieces any more.
 */
export function release(pieces: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of pieces) {
    // A piece that is only part of its buffer may share the memory with a piece of another answer.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
  }
}

const kibibyte = 1024
const smallest = 64 * kibibyte
/** A usual answer is at most 8 MiB, but a single batch may be larger. */
const largestKept = 12 * kibibyte * kibibyte
