import type { FlatDecimal } from './flat-decimal.ts'
import type { FlatMessage } from './flat-scan.ts'
import { word } from './flat-text.ts'
import type { FlatTimestamp } from './flat-timestamp.ts'

/**
 * The fastest path: a message whose members stand in the order of docs/message-format.md without a space between, as
 * `JSON.stringify` and most producers write it. What stands between two values is compared four bytes at once, and
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
    at = this.#timestamp.read(view, at + timestampName, end)
    into.timestampUs = this.#timestamp.us
    // The shortest rest begins with a close: ,"close":1,"volume":1}
    if (at === declined || at + 22 > end) return false
    const hasPrices = view.getInt32(at, true) === openWord && view.getInt32(at + 4, true) === openRest
    if (hasPrices) {
      at = this.#prices(view, at + 8, end)
      if (at === declined || at + 22 > end) return false
    }
    if (
      view.getInt32(at, true) !== closeWord ||
      view.getInt32(at + 4, true) !== closeRest ||
      view.getUint8(at + 8) !== colon
    )
      return false
    at = decimal.read(view, at + 9)
    const close = decimal.scaled
    into.close = close
    if (at === declined || at + 12 > end) return false
    if (
      view.getInt32(at, true) !== volumeWord ||
      view.getInt32(at + 4, true) !== volumeRest ||
      view.getInt16(at + 8, true) !== quoteColon
    )
      return false
    at = decimal.read(view, at + 10)
    const volume = decimal.scaled
    into.volume = volume
    if (!hasPrices) {
      into.open = close
      into.high = close
      into.low = close
    }
    return at === end - 1 && volume >= 0
  }

  #symbol(view: DataView, start: number, end: number): number {
    if (
      start + 12 > end ||
      view.getInt32(start, true) !== symbolWord ||
      view.getInt32(start + 4, true) !== symbolRest ||
      view.getInt32(start + 7, true) !== symbolEnd
    )
      return declined
    const first = start + 11
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

  #prices(view: DataView, openAt: number, end: number): number {
    const into = this.#into
    const decimal = this.#decimal
    let at = decimal.read(view, openAt)
    into.open = decimal.scaled
    if (
      at === declined ||
      at + 10 > end ||
      view.getInt32(at, true) !== highWord ||
      view.getInt32(at + 4, true) !== highRest
    )
      return declined
    at = decimal.read(view, at + 8)
    into.high = decimal.scaled
    if (
      at === declined ||
      at + 9 > end ||
      view.getInt32(at, true) !== lowWord ||
      view.getInt32(at + 3, true) !== lowRest
    )
      return declined
    at = decimal.read(view, at + 7)
    into.low = decimal.scaled
    return at
  }
}

/** Whether `","timestamp":` follows; 14 bytes. */
function isTimestampNext(view: DataView, at: number, end: number): boolean {
  return (
    at + 16 <= end &&
    view.getInt32(at, true) === timestampWord &&
    view.getInt32(at + 4, true) === timestampRest &&
    view.getInt32(at + 8, true) === timestampEnd &&
    view.getInt16(at + 12, true) === quoteColon
  )
}

const timestampName = 14
const mostSymbolBytes = 32

const symbolWord = word('{"sy')
const symbolRest = word('mbol')
const symbolEnd = word('l":"')
const timestampWord = word('","t')
const timestampRest = word('imes')
const timestampEnd = word('tamp')
const openWord = word(',"op')
const openRest = word('en":')
const highWord = word(',"hi')
const highRest = word('gh":')
const lowWord = word(',"lo')
const lowRest = word('ow":')
const closeWord = word(',"cl')
const closeRest = word('ose"')
const volumeWord = word(',"vo')
const volumeRest = word('lume')
const quoteColon = word('":')

// Not imported, as in flat-scan.ts.
const declined = -1
const colon = 0x3a
const quote = 0x22
const backslash = 0x5c
