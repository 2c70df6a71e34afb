/** Without a terminal each line remains visible, so fewer are written. */
const plainEveryMs = 5000

/** Shows progress: on a terminal as one changing line, elsewhere as a new line every five seconds. */
export class ProgressLine {
  readonly #screen: NodeJS.WriteStream | undefined
  readonly #print: (line: string) => void
  readonly #now: () => number
  #printedAtMs = Number.NEGATIVE_INFINITY
  #isOpen = false

  /**
   * @param options.screen - The stream for the changing line; used only if it is a terminal.
   * @param options.print - Receives whole lines.
   */
  constructor(options: { screen?: NodeJS.WriteStream; print: (line: string) => void; now?: () => number }) {
    this.#screen = options.screen?.isTTY && process.env.TERM !== 'dumb' ? options.screen : undefined
    this.#print = options.print
    this.#now = options.now ?? (() => performance.now())
  }

  show(text: string): void {
    if (this.#screen) {
      this.#screen.write(`\r${text.slice(0, Math.max(10, this.#screen.columns - 1))}\x1b[K`)
      this.#isOpen = true
      return
    }
    const nowMs = this.#now()
    if (nowMs - this.#printedAtMs < plainEveryMs) return
    this.#printedAtMs = nowMs
    this.#print(text)
  }

  /** Ends the current line, so that further output starts on a new one. Idempotent. */
  end(): void {
    if (this.#isOpen) this.#screen?.write('\n')
    this.#isOpen = false
  }
}
