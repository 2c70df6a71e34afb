import { isSame } from '../byte-strings.ts'
import { parseScaled } from '../decimal.ts'
import { decimalsToKeep, losesPrecision } from '../precision.ts'
import { FlatDecimal } from './flat-decimal.ts'
import { FlatTimestamp } from './flat-timestamp.ts'
import { type JsonKind, JsonScanner, type MemberSink } from './json-scanner.ts'
import type { RejectReason } from './reject-reason.ts'
import { endOfTimeUs, parseEpochMs, parseTimestamp } from './timestamp.ts'

/** The position of the last value of a field in the message: if a field is repeated, its last value counts. */
interface Field {
  readonly name: string
  readonly nameBytes: Uint8Array
  readonly isRequired: boolean
  kind: JsonKind | 'absent'
  start: number
  end: number
}

/** A number that lost precision when it was rounded. */
export interface NumberLoss {
  readonly field: string
  /** As it is written in the message, cut when it is very long. */
  readonly text: string
  /** The setting of `DECIMALS` that keeps it; undefined when none does. */
  readonly decimals: number | undefined
}

const maxSymbolBytes = 32
/** Half a unit is one ten-thousandth of 5000 units: a number that is rounded to more keeps its precision. */
const mostUnitsThatLose = 5000n
const symbolPattern = /^[\x21-\x7e]{1,32}$/
/** The longest name of a field, with each of its characters written as an escape of six bytes. */
const longestNameBytes = 'timestamp'.length * 6
/** So that every detail stays below the 200 characters that `dead_letters` promises. */
const excerptBytes = 80
const backslash = 0x5c

/**
 * Reads any message, and decides every rejection: all checks of docs/message-format.md behind the size, in its order.
 * It is several times slower than {@link FlatScan}. Values in their usual form are read by the readers of the fast path;
 * others become text, and numbers stay text until they are scaled, so no digit is lost. The public fields hold the result
 * until the next call.
 */
export class FullParser implements MemberSink {
  /** The symbol, of `symbolLength` bytes. A Buffer as the input is, so that those who read either see one kind. */
  readonly symbolBytes: Uint8Array = Buffer.alloc(maxSymbolBytes)
  symbolLength = 0
  /** Microseconds since the epoch, below 2^53. */
  timestampUs = 0
  /** A number is scaled by 10^8 and below 2^52 in magnitude; a bigint is scaled by 10^decimals. */
  open: number | bigint = 0
  high: number | bigint = 0
  low: number | bigint = 0
  close: number | bigint = 0
  volume: number | bigint = 0
  /** What was wrong: printable ASCII, at most 200 characters. */
  detail = ''
  /** The number of the accepted message that lost most precision when it was rounded; undefined when none did. */
  loss: NumberLoss | undefined

  readonly #decimals: number
  readonly #scanner = new JsonScanner(this)
  readonly #symbol = field('symbol', true)
  readonly #timestamp = field('timestamp', true)
  readonly #close = field('close', true)
  readonly #volume = field('volume', true)
  readonly #open = field('open', false)
  readonly #high = field('high', false)
  readonly #low = field('low', false)
  readonly #fields = [this.#symbol, this.#timestamp, this.#close, this.#volume, this.#open, this.#high, this.#low]
  readonly #byName = new Map(this.#fields.map((field) => [field.name, field]))
  readonly #usualTimestamp = new FlatTimestamp()
  readonly #usualDecimal: FlatDecimal
  /** Of the message before, too: one buffer contains many messages. */
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))

  /** @param decimals - Fractional digits that are kept: the setting `DECIMALS`. */
  constructor(decimals: number) {
    this.#decimals = decimals
    this.#usualDecimal = new FlatDecimal(decimals)
  }

  /**
   * @param latestUs the latest timestamp that is not in the future
   * @returns the reason of a rejection, undefined when the message is accepted
   */
  parse(bytes: Buffer, start: number, end: number, latestUs: number): RejectReason | undefined {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    for (const field of this.#fields) field.kind = 'absent'
    this.loss = undefined
    if (!this.#scanner.scan(bytes, start, end)) {
      return this.#reject('not_json', `byte ${this.#scanner.problemAt - start}: ${this.#scanner.problem}`)
    }
    return this.#read(latestUs)
  }

  /** Called by the scanner for each member of the object. */
  member(nameStart: number, nameEnd: number, kind: JsonKind, valueStart: number, valueEnd: number): void {
    const field = this.#fieldNamed(nameStart, nameEnd)
    if (!field) return
    field.kind = kind
    field.start = valueStart
    field.end = valueEnd
  }

  #fieldNamed(start: number, end: number): Field | undefined {
    for (const field of this.#fields) if (isSame(field.nameBytes, this.#bytes, start, end)) return field
    // Each character may be written as an escape.
    if (end - start > longestNameBytes || !this.#bytes.subarray(start, end).includes(backslash)) return undefined
    return this.#byName.get(this.#text(start, end))
  }

  #read(latestUs: number): RejectReason | undefined {
    const { kind } = this.#scanner
    if (kind !== 'object') return this.#reject('not_object', `a JSON ${kind}, not an object`)
    if (this.#fields.some(isMissing)) {
      const missing = this.#fields.filter(isMissing).map(({ name }) => name)
      return this.#reject('missing_field', `without ${missing.join(', ')}`)
    }
    return this.#readSymbol() ?? this.#readTimestamp() ?? this.#readNumbers() ?? this.#checkFuture(latestUs)
  }

  #readSymbol(): RejectReason | undefined {
    const { kind, start, end } = this.#symbol
    if (kind === 'string' && this.#copyPlainSymbol(start + 1, end - 1)) return undefined
    const symbol = kind === 'string' ? this.#text(start + 1, end - 1) : ''
    if (!symbolPattern.test(symbol)) {
      return this.#wrong('bad_symbol', this.#symbol, 'not a string of 1 to 32 printable ASCII characters, no spaces')
    }
    for (let i = 0; i < symbol.length; i++) this.symbolBytes[i] = symbol.charCodeAt(i)
    this.symbolLength = symbol.length
    return undefined
  }

  /** Whether the symbol was written without an escape. */
  #copyPlainSymbol(start: number, end: number): boolean {
    const length = end - start
    if (length === 0 || length > maxSymbolBytes) return false
    for (let i = 0; i < length; i++) {
      const byte = this.#view.getUint8(start + i)
      if (byte <= 0x20 || byte >= 0x7f || byte === backslash) return false
      this.symbolBytes[i] = byte
    }
    this.symbolLength = length
    return true
  }

  #readTimestamp(): RejectReason | undefined {
    const { kind, start, end } = this.#timestamp
    let timestampUs: number | undefined
    const usual = this.#usualTimestamp
    const isEither = kind === 'string' || kind === 'number'
    // Every value of an object is followed by another byte.
    if (isEither && usual.read(this.#view, start, end + 1) === end) timestampUs = usual.us
    else if (kind === 'string') timestampUs = parseTimestamp(this.#text(start + 1, end - 1))
    else if (kind === 'number') timestampUs = parseEpochMs(this.#text(start, end))
    if (timestampUs === undefined) {
      return this.#wrong('bad_timestamp', this.#timestamp, 'neither an RFC 3339 time since 1970 nor milliseconds')
    }
    this.timestampUs = timestampUs
    return undefined
  }

  #readNumbers(): RejectReason | undefined {
    const close = this.#number(this.#close)
    const volume = this.#number(this.#volume)
    if (close === undefined || volume === undefined) return 'bad_number'
    const open = this.#price(this.#open, close)
    const high = this.#price(this.#high, close)
    const low = this.#price(this.#low, close)
    if (open === undefined || high === undefined || low === undefined) return 'bad_number'
    if (volume < 0) return this.#wrong('negative_volume', this.#volume, 'below 0')
    this.open = open
    this.high = high
    this.low = low
    this.close = close
    this.volume = volume
    return undefined
  }

  #checkFuture(latestUs: number): RejectReason | undefined {
    if (this.timestampUs < endOfTimeUs && this.timestampUs <= latestUs) return undefined
    // The caller knows the record's own time and adds the rest.
    return this.#wrong('future_timestamp', this.#timestamp, 'too far ahead')
  }

  /** An optional price, which is the close when absent. */
  #price(field: Field, close: number | bigint): number | bigint | undefined {
    return field.kind === 'absent' ? close : this.#number(field)
  }

  #number(field: Field): number | bigint | undefined {
    if (field.kind !== 'number') {
      this.#wrong('bad_number', field, 'not a number')
      return undefined
    }
    const usual = this.#usualDecimal
    if (usual.read(this.#view, field.start) === field.end) return usual.scaled
    const text = this.#latin1(field.start, field.end)
    const scaled = parseScaled(text, this.#decimals)
    if (scaled === undefined) this.#wrong('bad_number', field, 'not below 10^15 in magnitude')
    else if (scaled <= mostUnitsThatLose && scaled >= -mostUnitsThatLose) this.#noteLoss(field.name, text)
    return scaled
  }

  #noteLoss(field: string, text: string): void {
    if (!losesPrecision(text, this.#decimals)) return
    const decimals = decimalsToKeep(text)
    const isWorse = this.loss === undefined || (decimals ?? Infinity) > (this.loss.decimals ?? Infinity)
    if (isWorse) this.loss = { field, text: text.slice(0, excerptBytes), decimals }
  }

  /**
   * The text that a span of a checked string represents. Characters beyond ASCII become other characters beyond ASCII,
   * which is sufficient here: no field may contain one.
   */
  #text(start: number, end: number): string {
    const text = this.#latin1(start, end)
    return text.includes('\\') ? unescaped(text) : text
  }

  /** One character a byte. */
  #latin1(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end)
  }

  #wrong(reason: RejectReason, field: Field, what: string): RejectReason {
    const isLong = field.end - field.start > excerptBytes
    const excerpt = this.#latin1(field.start, isLong ? field.start + excerptBytes : field.end)
    const printable = excerpt.replace(/[^\x20-\x7e]/g, '?')
    return this.#reject(reason, `${field.name} ${printable}${isLong ? '...' : ''}: ${what}`)
  }

  #reject(reason: RejectReason, detail: string): RejectReason {
    this.detail = detail
    return reason
  }
}

const controls = new Map([...'bfnrt'].map((letter, i) => [letter, '\b\f\n\r\t'.charAt(i)]))

function unescaped(text: string): string {
  let plain = ''
  let from = 0
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', from)) {
    const letter = text.charAt(at + 1)
    plain += text.slice(from, at)
    from = at + (letter === 'u' ? 6 : 2)
    if (letter === 'u') plain += String.fromCharCode(Number.parseInt(text.slice(at + 2, from), 16))
    else plain += controls.get(letter) ?? letter
  }
  return plain + text.slice(from)
}

function field(name: string, isRequired: boolean): Field {
  return { name, nameBytes: Uint8Array.from(Buffer.from(name)), isRequired, kind: 'absent', start: 0, end: 0 }
}

function isMissing({ isRequired, kind }: Field): boolean {
  return isRequired && kind === 'absent'
}
