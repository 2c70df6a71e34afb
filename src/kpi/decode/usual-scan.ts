import type { FlatDecimal } from './flat-decimal.ts'
import type { FlatMessage } from './flat-message.ts'
import { word } from './flat-text.ts'
import type { FlatTimestamp } from './flat-timestamp.ts'

/**
 * The fastest path: a message whose members are in the order of docs/message-format.md with no spaces between them, as
 * `JSON.stringify` and most producers write it. The bytes between two values are compared four bytes at once, and
 * nothing is looked up. Prices other than the close may be left out together.
 */
export class UsualScan {
  readonly #into: FlatMessage
  readonly #timestamp: FlatTimestamp
  readonly #decimal: FlatDecimal

  constructor(into: FlatMessage, readers: { timestamp: FlatTimestamp; decimal: FlatDecimal }) {
    this.#into = into
    this.#timestamp = readers.timestamp
    this.#decimal = readers.decimal
  }

  /**
   * Whether the message was taken. If not, what `into` holds means nothing.
   *
   * @param end - Behind a closing brace, as {@link FlatScan} has checked.
   */
  scan(view: DataView, start: number, end: number): boolean {
    const into = this.#into
    const decimal = this.#decimal
    let at = this.#symbol(view, start, end)
    if (at === declined || !isTimestampNext(view, at, end)) return false
    at = this.#timestamp.read(view, at + timestampBytes, end)
    into.timestampUs = this.#timestamp.us
    if (at === declined || at + shortestEnd > end) return false
    const hasPrices = isNext(view, at, openWord, openRest)
    if (hasPrices) {
      at = this.#prices(view, at + openBytes, end)
      if (at === declined || at + shortestEnd > end) return false
    }
    if (!isNext(view, at, closeWord, closeRest) || view.getUint8(at + 8) !== colon) return false
    at = decimal.read(view, at + closeBytes)
    const close = decimal.scaled
    into.close = close
    if (!hasPrices) {
      into.open = close
      into.high = close
      into.low = close
    }
    if (at === declined || at + volumeBytes + 2 > end) return false
    if (!isNext(view, at, volumeWord, volumeRest) || view.getInt16(at + 8, true) !== quoteColon) return false
    at = decimal.read(view, at + volumeBytes)
    into.volume = decimal.scaled
    return at === end - 1 && decimal.scaled >= 0
  }

  /** From the message's first byte to the quote that ends the symbol. */
  #symbol(view: DataView, start: number, end: number): number {
    if (start + symbolBytes + 2 > end) return declined
    if (!isNext(view, start, symbolWord, symbolRest) || view.getInt32(start + 7, true) !== symbolEnd) return declined
    const first = start + symbolBytes
    const stop = Math.min(first + mostSymbolBytes + 1, end)
    let at = first
    let byte = 0
    while (at < stop) {
      byte = view.getUint8(at)
      if (byte <= 0x20 || byte >= 0x7f || byte === quote || byte === backslash) break
      at++
    }
    if (byte !== quote || at === first) return declined
    this.#into.symbolStart = first
    this.#into.symbolEnd = at
    return at
  }

  /** From the value of open to the end of that of low. */
  #prices(view: DataView, openAt: number, end: number): number {
    const into = this.#into
    const decimal = this.#decimal
    let at = decimal.read(view, openAt)
    into.open = decimal.scaled
    if (at === declined || at + shortestEnd > end || !isNext(view, at, highWord, highRest)) return declined
    at = decimal.read(view, at + highBytes)
    into.high = decimal.scaled
    if (at === declined || at + shortestEnd > end) return declined
    if (view.getInt32(at, true) !== lowWord || view.getInt32(at + 3, true) !== lowRest) return declined
    at = decimal.read(view, at + lowBytes)
    into.low = decimal.scaled
    return at
  }
}

function isNext(view: DataView, at: number, word: number, rest: number): boolean {
  return view.getInt32(at, true) === word && view.getInt32(at + 4, true) === rest
}

/** From the quote that ends the symbol on. */
function isTimestampNext(view: DataView, at: number, end: number): boolean {
  return (
    at + timestampBytes + 2 <= end &&
    isNext(view, at, timestampWord, timestampRest) &&
    view.getInt32(at + 8, true) === timestampEnd &&
    view.getInt16(at + 12, true) === quoteColon
  )
}

/** `,"close":1,"volume":1}`: with fewer bytes left, no message of this layout ends. */
const shortestEnd = 22
const mostSymbolBytes = 32

/** The bytes before each value, `{"symbol":"` first, in words, and how many bytes it has. */
const symbolBytes = 11
const symbolWord = word('{"sy')
const symbolRest = word('mbol')
const symbolEnd = word('l":"')
const timestampBytes = 14
const timestampWord = word('","t')
const timestampRest = word('imes')
const timestampEnd = word('tamp')
const openBytes = 8
const openWord = word(',"op')
const openRest = word('en":')
const highBytes = 8
const highWord = word(',"hi')
const highRest = word('gh":')
const lowBytes = 7
const lowWord = word(',"lo')
const lowRest = word('ow":')
const closeBytes = 9
const closeWord = word(',"cl')
const closeRest = word('ose"')
const volumeBytes = 10
const volumeWord = word(',"vo')
const volumeRest = word('lume')
const quoteColon = word('":')

// Not imported, as in flat-scan.ts.
const declined = -1
const colon = 0x3a
const quote = 0x22
const backslash = 0x5c
