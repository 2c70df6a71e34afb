import { assert } from '../../errors.ts'
import type { MessageKey } from './message-key.ts'

/**
 * Messages for the producer, as bytes in one buffer, without an object for each message. The caller reserves room,
 * writes a value there (and optionally, behind it, headers in the format of a record batch) and commits.
 */
export class MessageBatch {
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #keys: MessageKey[] = []
  readonly #valueEnds: Float64Array
  readonly #ends: Float64Array
  #bytes: Buffer
  #count = 0
  #end = 0

  /**
   * @param limits.maxMessages - The batch is full with this many messages.
   * @param limits.maxBytes - Or with this many bytes, which the last message may exceed.
   */
  constructor(limits: { maxMessages: number; maxBytes: number }) {
    this.#maxMessages = limits.maxMessages
    this.#maxBytes = limits.maxBytes
    this.#valueEnds = new Float64Array(limits.maxMessages)
    this.#ends = new Float64Array(limits.maxMessages)
    this.#bytes = Buffer.allocUnsafeSlow(limits.maxBytes)
  }

  get bytes(): Buffer {
    return this.#bytes
  }

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count === this.#maxMessages || this.#end >= this.#maxBytes
  }

  key(index: number): MessageKey {
    const key = this.#keys[index]
    assert(key !== undefined && index < this.#count, 'a message of the batch')
    return key
  }

  /** The value is `bytes[valueStart, valueEnd)`; an empty one is null. */
  valueStart(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0)
  }

  valueEnd(index: number): number {
    return this.#valueEnds[index] ?? 0
  }

  /** The headers are `bytes[valueEnd, end)`, including their count; an empty range means no headers. */
  end(index: number): number {
    return this.#ends[index] ?? 0
  }

  /** Makes room for one message. @returns Where it begins in `bytes`, which may now be another buffer. */
  reserve(bytes: number): number {
    assert(this.#count < this.#maxMessages, 'room in the batch')
    if (this.#end + bytes > this.#bytes.length) this.#grow(this.#end + bytes)
    return this.#end
  }

  /** Adds the message that was written at the reserved position. */
  commit(key: MessageKey, valueEnd: number, end = valueEnd): void {
    this.#keys[this.#count] = key
    this.#valueEnds[this.#count] = valueEnd
    this.#ends[this.#count] = end
    this.#count += 1
    this.#end = end
  }

  clear(): void {
    this.#count = 0
    this.#end = 0
    // A buffer enlarged by one huge message is not kept forever.
    if (this.#bytes.length > 2 * this.#maxBytes) this.#bytes = Buffer.allocUnsafeSlow(this.#maxBytes)
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, Math.ceil(this.#bytes.length * 1.5)))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}
