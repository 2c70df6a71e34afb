import { StringDecoder } from 'node:string_decoder'

/** How many lines are remembered, and how much of each. */
const maxLines = 60
const maxLineLength = 2000

/** A server's last words to a client that came too early or too late are no reason for its end. */
const serverReason = /^market-kpi: |\b(FATAL|PANIC)\b(?!.*(starting up|shutting down|not yet accepting))/

/** Cuts output into lines and remembers the last ones, to tell why a process ended. */
export class LineTail {
  #lines: string[] = []
  #rest = ''
  /** A chunk may end within a character. */
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

  /** The line that most likely says why: the last one marked as an error, else the last that is not part of a stack. */
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
