import { StringDecoder } from 'node:string_decoder'

/** How many lines are kept, and how many characters of each. */
const maxLines = 60
const maxLineLength = 2000

/** Messages that a server logs for a client that connects during startup or shutdown do not explain why it ended. */
const serverReason = /^market-kpi: |\b(FATAL|PANIC)\b(?!.*(starting up|shutting down|not yet accepting))/

/** Splits output into lines and keeps the last ones, to explain why a process ended. */
export class LineTail {
  #lines: string[] = []
  #rest = ''
  /** A chunk may end in the middle of a character. */
  readonly #decoder = new StringDecoder('utf8')

  /** @returns the lines that this chunk completed. */
  push(chunk: Buffer): string[] {
    const text = this.#rest + this.#decoder.write(chunk)
    const lines = text.split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, maxLineLength)
    const complete = lines.map((line) => line.slice(0, maxLineLength).trimEnd())
    this.#lines.push(...complete.slice(-maxLines))
    if (this.#lines.length > maxLines) this.#lines = this.#lines.slice(-maxLines)
    return complete
  }

  /** The last line that matches. */
  find(pattern: RegExp): string | undefined {
    return this.#all().findLast((line) => pattern.test(line))
  }

  /**
   * The line that most likely explains the end: the last one marked as an error, else the last one outside a stack
   * trace.
   */
  lastMeaningful(): string | undefined {
    return this.find(serverReason) ?? this.find(/\bERROR\b|Exception|Error:/) ?? this.#lastPlain()
  }

  #lastPlain(): string | undefined {
    return this.#all().findLast((line) => line.trim() !== '' && !/^\s+(at |\.\.\.)/.test(line))
  }

  #all(): string[] {
    return this.#rest === '' ? this.#lines : [...this.#lines, this.#rest]
  }
}
