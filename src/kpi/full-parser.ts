import { parseScaled } from './decimal.ts'
import { type JsonKind, JsonScanner, type MemberSink } from './json-scanner.ts'
import type { RejectReason } from './reject-reason.ts'
import { endOfTimeUs, parseEpochMs, parseTimestamp } from './timestamp.ts'

/** Where the last value of a field stands in the message: of a repeated field the last one counts. */
interface Field {
  readonly name: string
  readonly isRequired: boolean
  kind: JsonKind | 'absent'
  start: number
  end: number
}

const maxSymbolBytes = 32
const symbolPattern = /^[\x21-\x7e]{1,32}$/
/** No name of a field is longer, each of its letters written as an escape of six bytes. */
const longestNameBytes = 'timestamp'.length * 6
/** So that every detail stays below the 200 characters that `dead_letters` promises. */
const excerptBytes = 80

/**
 * Reads any message, and decides every rejection: all checks of docs/message-format.md behind the size, in its order.
 * Numbers stay text until they are scaled, so no digit is lost. It is slower than {@link FlatScan} by an order of
 * magnitude, and needs to be right only. The public fields hold the result until the next call.
 */
export class FullParser implements MemberSink {
  /** The symbol, of `symbolLength` bytes. A Buffer as the input is, so that those who read either see one kind. */
  readonly symbolBytes: Uint8Array = Buffer.alloc(maxSymbolBytes)
  symbolLength = 0
  /** Microseconds since the epoch, below 2^53. */
  timestampUs = 0
  /** Scaled by 10^8. */
  open = 0n
  high = 0n
  low = 0n
  close = 0n
  volume = 0n
  /** What was wrong: printable ASCII, at most 200 characters. */
  detail = ''

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
  /** The message, one character a byte, and where it begins in the scanner's bytes. */
  #message = ''
  #start = 0

  /**
   * @param latestUs the latest timestamp that is not in the future
   * @returns the reason of a rejection, undefined when the message is accepted
   */
  parse(bytes: Buffer, start: number, end: number, latestUs: number): RejectReason | undefined {
    this.#message = bytes.toString('latin1', start, end)
    this.#start = start
    for (const field of this.#fields) field.kind = 'absent'
    if (!this.#scanner.scan(bytes, start, end)) {
      return this.#reject('not_json', `byte ${this.#scanner.problemAt - start}: ${this.#scanner.problem}`)
    }
    return this.#read(latestUs)
  }

  /** Called by the scanner for each member of the object. */
  member(nameStart: number, nameEnd: number, kind: JsonKind, valueStart: number, valueEnd: number): void {
    if (nameEnd - nameStart > longestNameBytes) return
    const field = this.#byName.get(this.#text(nameStart - this.#start, nameEnd - this.#start))
    if (!field) return
    field.kind = kind
    field.start = valueStart - this.#start
    field.end = valueEnd - this.#start
  }

  #read(latestUs: number): RejectReason | undefined {
    const { kind } = this.#scanner
    if (kind !== 'object') return this.#reject('not_object', `a JSON ${kind}, not an object`)
    const missing = this.#fields.filter((field) => field.isRequired && field.kind === 'absent')
    if (missing.length > 0) {
      return this.#reject('missing_field', `without ${missing.map((field) => field.name).join(', ')}`)
    }
    return this.#readSymbol() ?? this.#readTimestamp() ?? this.#readNumbers() ?? this.#checkFuture(latestUs)
  }

  #readSymbol(): RejectReason | undefined {
    const { kind, start, end } = this.#symbol
    const symbol = kind === 'string' ? this.#text(start + 1, end - 1) : ''
    if (!symbolPattern.test(symbol)) {
      return this.#wrong('bad_symbol', this.#symbol, 'not a string of 1 to 32 printable ASCII characters, no spaces')
    }
    for (let i = 0; i < symbol.length; i++) this.symbolBytes[i] = symbol.charCodeAt(i)
    this.symbolLength = symbol.length
    return undefined
  }

  #readTimestamp(): RejectReason | undefined {
    const { kind, start, end } = this.#timestamp
    let timestampUs: number | undefined
    if (kind === 'string') timestampUs = parseTimestamp(this.#text(start + 1, end - 1))
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
    if (volume < 0n) return this.#wrong('negative_volume', this.#volume, 'below 0')
    this.open = open
    this.high = high
    this.low = low
    this.close = close
    this.volume = volume
    return undefined
  }

  #checkFuture(latestUs: number): RejectReason | undefined {
    if (this.timestampUs < endOfTimeUs && this.timestampUs <= latestUs) return undefined
    return this.#wrong('future_timestamp', this.#timestamp, "too far ahead of the record's own timestamp")
  }

  /** An optional price, which is the close when absent. */
  #price(field: Field, close: bigint): bigint | undefined {
    return field.kind === 'absent' ? close : this.#number(field)
  }

  #number(field: Field): bigint | undefined {
    if (field.kind !== 'number') {
      this.#wrong('bad_number', field, 'not a number')
      return undefined
    }
    const scaled = parseScaled(this.#message.slice(field.start, field.end))
    if (scaled === undefined) this.#wrong('bad_number', field, 'not below 10^15 in magnitude')
    return scaled
  }

  /**
   * What a span of a checked string stands for. Characters beyond ASCII come out as others beyond ASCII, which is all
   * that matters here: no field may hold one.
   */
  #text(start: number, end: number): string {
    const text = this.#message.slice(start, end)
    return text.includes('\\') ? text.replace(escapes, unescaped) : text
  }

  #wrong(reason: RejectReason, field: Field, what: string): RejectReason {
    const isLong = field.end - field.start > excerptBytes
    const excerpt = this.#message.slice(field.start, isLong ? field.start + excerptBytes : field.end)
    const printable = excerpt.replace(/[^\x20-\x7e]/g, '?')
    return this.#reject(reason, `${field.name} ${printable}${isLong ? '...' : ''}: ${what}`)
  }

  #reject(reason: RejectReason, detail: string): RejectReason {
    this.detail = detail
    return reason
  }
}

const escapes = /\\(?:u([0-9a-fA-F]{4})|(.))/g
const controls = new Map([...'bfnrt'].map((letter, i) => [letter, '\b\f\n\r\t'.charAt(i)]))

function unescaped(_: string, code: string | undefined, letter = ''): string {
  return code === undefined ? (controls.get(letter) ?? letter) : String.fromCharCode(Number.parseInt(code, 16))
}

function field(name: string, isRequired: boolean): Field {
  return { name, isRequired, kind: 'absent', start: 0, end: 0 }
}
