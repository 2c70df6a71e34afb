import { batchLimits, type PriceSource } from '../../feed/source.ts'
import { MessageBatch } from '../../kafka/records/message-batch.ts'

/**
 * Rewrites of a message that keep its meaning but are not supported by the fast scan, so that the full parser has to
 * read it.
 */
const rewrites: readonly ((text: string) => string)[] = [
  // The first letter of the symbol as an escape.
  (text) => text.replace(/^\{"symbol":"(.)/, (_, first: string) => `{"symbol":"${escaped(first)}`),
  // A repeated key, of which the last counts.
  (text) => text.replace(/^\{/, '{"close":1.5,'),
  // Nesting, in a field that is ignored.
  (text) => text.replace(/\}$/, ',"source":{"venue":["XNAS",{"lit":true}]}}'),
  // An exponent.
  (text) => text.replace(/"volume":(\d+)\}$/, '"volume":$1e0}'),
]

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The same prices, with a given percentage of them written in an unusual way. All ways are equally frequent. */
export class UnusualSource implements PriceSource {
  readonly #inner: PriceSource
  readonly #percent: number
  readonly #batch = new MessageBatch(batchLimits)
  /** Grows by the percentage with every message. When it reaches a hundred, one message is made unusual. */
  #due = 0
  #rewritten = 0

  constructor(inner: PriceSource, percent: number) {
    this.#inner = inner
    this.#percent = percent
  }

  get description(): string {
    return `${this.#inner.description}, ${this.#percent} % of them in unusual JSON`
  }

  get rejectedCount(): number {
    return this.#inner.rejectedCount
  }

  async next(signal: AbortSignal): Promise<MessageBatch | undefined> {
    const usual = await this.#inner.next(signal)
    if (usual === undefined) return undefined
    this.#batch.clear()
    for (let i = 0; i < usual.count; i++) {
      this.#due += this.#percent
      const isDue = this.#due >= 100
      if (isDue) this.#due -= 100
      this.#write(usual, i, isDue)
    }
    return this.#batch
  }

  stop(): Promise<void> {
    return this.#inner.stop()
  }

  #write(usual: MessageBatch, index: number, isUnusual: boolean): void {
    const value = usual.bytes.subarray(usual.valueStart(index), usual.valueEnd(index))
    const written = isUnusual ? Buffer.from(this.#rewrite(value.toString())) : value
    const at = this.#batch.reserve(written.length)
    this.#batch.bytes.set(written, at)
    this.#batch.commit(usual.key(index), at + written.length)
  }

  #rewrite(text: string): string {
    const rewrite = rewrites[this.#rewritten % rewrites.length]
    this.#rewritten += 1
    return rewrite?.(text) ?? text
  }
}
