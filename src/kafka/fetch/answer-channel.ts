import { decompressedPieces } from './decompress-answer.ts'
import { FetchBuffers } from './fetch-buffers.ts'
import type { FetchedRecords } from './partition-fetch.ts'

export interface AnswerChannelOptions<Records> {
  /** One number, shared with the reader: how many pieces it is done with. */
  readonly done: Int32Array<SharedArrayBuffer>
  readonly post: (piece: readonly Records[]) => void
}

/**
 * Hands answers over to a reader in another thread, unpacked and piece by piece: one that it works on, and one that waits.
 * Answers of all brokers go through here one after the other, so a piece is done only after all before it.
 */
export class AnswerChannel<Records extends FetchedRecords> {
  readonly #options: AnswerChannelOptions<Records>
  /** A piece is written while the one before it is read. */
  readonly #memory = new FetchBuffers({ count: 2, isShared: true })
  #posted = 0
  #last: Promise<void> = Promise.resolve()

  constructor(options: AnswerChannelOptions<Records>) {
    this.#options = options
  }

  /**
   * Settled when the reader is done with all but the answer's last piece. What an answer holds itself must stay until the
   * one after it is settled too.
   *
   * @throws KpiError `KPI_KAFKA_CORRUPT`; nothing is handed over afterwards.
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
