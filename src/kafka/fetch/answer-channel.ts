import { decompressedPieces } from './decompress-answer.ts'
import { FetchBuffers } from './fetch-buffers.ts'
import type { FetchedRecords } from './partition-fetch.ts'

export interface AnswerChannelOptions<Records> {
  /** A single counter, shared with the reader: how many pieces the reader has finished. */
  readonly done: Int32Array<SharedArrayBuffer>
  readonly post: (piece: readonly Records[]) => void
}

/**
 * Passes answers to a reader in another thread, decompressed and in pieces: the reader works on one while another
 * waits. The answers of all brokers go through this channel in order, so a piece is finished only after all pieces
 * before it.
 */
export class AnswerChannel<Records extends FetchedRecords> {
  readonly #options: AnswerChannelOptions<Records>
  /** One piece is written while the reader reads the one before it. */
  readonly #memory = new FetchBuffers({ count: 2, isShared: true })
  #posted = 0
  #last: Promise<void> = Promise.resolve()

  constructor(options: AnswerChannelOptions<Records>) {
    this.#options = options
  }

  /**
   * Resolves when the reader has finished all but the last piece of the answer. Memory that belongs to an answer must
   * therefore stay valid until the promise of the next answer is resolved too.
   *
   * @throws KpiError `KPI_KAFKA_CORRUPT`; nothing more is passed to the reader afterwards.
   */
  take(answer: readonly Records[]): Promise<void> {
    this.#last = this.#last.then(() => this.#post(answer))
    return this.#last
  }

  async #post(answer: readonly Records[]): Promise<void> {
    for (const piece of decompressedPieces(answer, this.#memory)) {
      this.#options.post(piece)
      this.#posted = (this.#posted + 1) | 0
      await this.#oneIsLeft()
    }
  }

  async #oneIsLeft(): Promise<void> {
    const { done } = this.#options
    for (const wanted = this.#posted - 1; ; ) {
      const count = Atomics.load(done, 0)
      if (((wanted - count) | 0) <= 0) return
      await Atomics.waitAsync(done, 0, count).value
    }
  }
}
