export interface ListedLetter {
  readonly offset: number
  readonly reason: string
}

/**
 * The dead letters of one partition in the order of their offsets, to be compared with the log in the same order. A flood
 * may leave millions, so they are stored in two arrays of numbers.
 */
export class LetterList {
  readonly #offsets: number[] = []
  readonly #reasons: number[] = []
  readonly #names: string[] = []
  #at = 0

  /** Offsets must rise. */
  add(offset: number, reason: string): void {
    let name = this.#names.indexOf(reason)
    if (name < 0) name = this.#names.push(reason) - 1
    this.#offsets.push(offset)
    this.#reasons.push(name)
  }

  /** Removes and returns the dead letters below an offset. */
  *before(offset: number): Generator<ListedLetter> {
    for (let next = this.#peek(); next && next.offset < offset; next = this.#peek()) {
      this.#at += 1
      yield next
    }
  }

  /** Removes the dead letter at an offset and returns its reason. */
  at(offset: number): string | undefined {
    const next = this.#peek()
    if (next?.offset !== offset) return undefined
    this.#at += 1
    return next.reason
  }

  /** Skips the dead letters below an offset. */
  skipTo(offset: number): void {
    while ((this.#offsets[this.#at] ?? Number.POSITIVE_INFINITY) < offset) this.#at += 1
  }

  #peek(): ListedLetter | undefined {
    const offset = this.#offsets[this.#at]
    const reason = this.#names[this.#reasons[this.#at] ?? -1]
    return offset === undefined || reason === undefined ? undefined : { offset, reason }
  }
}
