import { assert } from '../../errors.ts'
import type { MessageKey } from './message-key.ts'

/**
 * Messages on their way to the producer, as bytes in one buffer: no object a message. Whoever makes them reserves room,
 * writes a value there (and behind it, where wanted, headers in the form of a record batch) and commits.
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
   * @param limits.maxMessages - It is full with so many.
   * @param limits.maxBytes - And with so many bytes, though the last message may go beyond them.
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

  /** The value is `bytes[valueStart, valueEnd)`; without a byte it is null. */
  valueStart(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0)
  }

  valueEnd(index: number): number {
    return this.#valueEnds[index] ?? 0
  }

  /** The headers are `bytes[valueEnd, end)`, with their count; without a byte there are none. */
  end(index: number): number {
    return this.#ends[index] ?? 0
  }

  /** Makes room for one message. @returns Where in `bytes`, which may be another buffer now, it begins. */
  reserve(bytes: number): number {
    assert(this.#count < this.#maxMessages, 'room in the batch')
    if (this.#end + bytes > this.#bytes.length) this.#grow(this.#end + bytes)
    return this.#end
  }

  /** Takes the message in that was written where `reserve` said. */
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
    // One huge message must not stay for ever.
    if (this.#bytes.length > 2 * this.#maxBytes) this.#bytes = Buffer.allocUnsafeSlow(this.#maxBytes)
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, Math.ceil(this.#bytes.length * 1.5)))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}
