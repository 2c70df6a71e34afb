import { FlatDecimal } from './flat-decimal.ts'
import type { FlatMessage } from './flat-message.ts'
import { skipPlainString, skipPlainValue, skipSpace, word } from './flat-text.ts'
import { FlatTimestamp } from './flat-timestamp.ts'
import { UsualScan } from './usual-scan.ts'

/**
 * The fast path: reads a message of the usual shape in place, directly into scaled integers and epoch time.
 *
 * It takes one flat object: known fields once each, in any order; other members with plain values; strings of ASCII
 * without escapes; numbers without exponents, of at most eight fractional digits where more are kept. All else it declines, valid or not: it never rejects, the full parser
 * does. What it takes, it must read as the full parser would; the tests compare the two.
 *
 * Messages of the one layout that nearly all have are read by {@link UsualScan}, which is faster still.
 *
 * A method gets the position where something begins and returns the one behind it, or {@link declined}. The last byte
 * must be a closing brace: it ends every loop over digits or spaces, and those over strings have bounds of their own.
 * Bytes are read through a DataView, four at once where words are compared.
 */
export class FlatScan {
  readonly #into: FlatMessage
  /** The buffer of the message before, and a view of it: one buffer contains many messages. */
  #buffer: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #end = 0
  /** Bits of the known fields that were seen in this message. */
  #seen = 0
  readonly #timestamp = new FlatTimestamp()
  readonly #decimal: FlatDecimal
  readonly #usual: UsualScan

  /** @param decimals - Fractional digits that are kept: the setting `DECIMALS`. */
  constructor(into: FlatMessage, decimals: number) {
    this.#into = into
    this.#decimal = new FlatDecimal(decimals)
    this.#usual = new UsualScan(into, { timestamp: this.#timestamp, decimal: this.#decimal })
  }

  /** Whether the message was taken. If not, what `into` holds means nothing. */
  scan(buffer: Buffer, start: number, end: number): boolean {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    }
    const view = this.#view
    if (end - start < 2 || view.getUint8(start) !== openBrace || view.getUint8(end - 1) !== closeBrace) return false
    if (this.#usual.scan(view, start, end)) return true
    this.#end = end
    this.#seen = 0
    let at = start
    for (;;) {
      at = this.#member(skipSpace(view, at + 1))
      if (at === declined) return false
      at = skipSpace(view, at)
      const next = view.getUint8(at)
      if (next === comma) continue
      return next === closeBrace && at === end - 1 && this.#complete()
    }
  }

  #complete(): boolean {
    const into = this.#into
    const seen = this.#seen
    if ((seen & required) !== required || into.volume < 0) return false
    if ((seen & open) === 0) into.open = into.close
    if ((seen & high) === 0) into.high = into.close
    if ((seen & low) === 0) into.low = into.close
    return true
  }

  /** At the quote before a name. Two words distinguish the known names; the shortest name with its value has eight bytes. */
  #member(at: number): number {
    const view = this.#view
    if (at + 8 > this.#end) return this.#other(at)
    const rest = view.getInt32(at + 4, true)
    switch (view.getInt32(at, true)) {
      case symbolWord:
        return rest === symbolRest ? this.#symbol(at + 8) : this.#other(at)
      case timestampWord:
        return rest === timestampRest && at + 12 <= this.#end && view.getInt32(at + 7, true) === timestampEnd
          ? this.#timestampMember(at + 11)
          : this.#other(at)
      case openWord:
        return (rest & 0xffff) === openRest ? this.#number(open, at + 6) : this.#other(at)
      case highWord:
        return (rest & 0xffff) === highRest ? this.#number(high, at + 6) : this.#other(at)
      case lowWord:
        return (rest & 0xff) === quote ? this.#number(low, at + 5) : this.#other(at)
      case closeWord:
        return (rest & 0xffffff) === closeRest ? this.#number(close, at + 7) : this.#other(at)
      case volumeWord:
        return rest === volumeRest ? this.#number(volume, at + 8) : this.#other(at)
      default:
        return this.#other(at)
    }
  }

  /** A member that is no field: skipped when plain. A name with an escape may be the name of a field, and is not plain. */
  #other(at: number): number {
    const view = this.#view
    const behindName = skipPlainString(view, at, this.#end)
    if (behindName === declined) return declined
    const colonAt = skipSpace(view, behindName)
    return view.getUint8(colonAt) === colon ? skipPlainValue(view, skipSpace(view, colonAt + 1), this.#end) : declined
  }

  /** Behind the name of a field, which must not have been there before: goes to its value. */
  #enter(field: number, behindName: number): number {
    if ((this.#seen & field) !== 0) return declined
    this.#seen |= field
    const view = this.#view
    const colonAt = skipSpace(view, behindName)
    return view.getUint8(colonAt) === colon ? skipSpace(view, colonAt + 1) : declined
  }

  #symbol(behindName: number): number {
    const view = this.#view
    const start = this.#enter(symbol, behindName)
    if (start === declined || view.getUint8(start) !== quote) return declined
    const first = start + 1
    const stop = Math.min(first + mostSymbolBytes + 1, this.#end)
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
    return at + 1
  }

  #number(field: number, behindName: number): number {
    const start = this.#enter(field, behindName)
    if (start === declined) return declined
    const at = this.#decimal.read(this.#view, start)
    const { scaled } = this.#decimal
    const into = this.#into
    if (field === open) into.open = scaled
    else if (field === high) into.high = scaled
    else if (field === low) into.low = scaled
    else if (field === close) into.close = scaled
    else into.volume = scaled
    return at
  }

  #timestampMember(behindName: number): number {
    const start = this.#enter(timestamp, behindName)
    if (start === declined) return declined
    const at = this.#timestamp.read(this.#view, start, this.#end)
    this.#into.timestampUs = this.#timestamp.us
    return at
  }
}

const mostSymbolBytes = 32

/** Bits of the known fields. */
const symbol = 1
const timestamp = 2
const open = 4
const high = 8
const low = 16
const close = 32
const volume = 64
const required = symbol | timestamp | close | volume

/** The names as a message contains them, with their quotes: a first word, and what is left of the second. */
const symbolWord = word('"sym')
const symbolRest = word('bol"')
const timestampWord = word('"tim')
const timestampRest = word('esta')
const timestampEnd = word('amp"')
const openWord = word('"ope')
const openRest = word('n"')
const highWord = word('"hig')
const highRest = word('h"')
const lowWord = word('"low')
const closeWord = word('"clo')
const closeRest = word('se"')
const volumeWord = word('"vol')
const volumeRest = word('ume"')

// Not imported: V8 folds the constants of a module into its code, and loads imported ones (20 ns a message, measured).
const declined = -1
const openBrace = 0x7b
const closeBrace = 0x7d
const comma = 0x2c
const colon = 0x3a
const quote = 0x22
const backslash = 0x5c
