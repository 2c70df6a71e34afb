/** What a JSON value is. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null'

/** Is called for each member of the outermost object, in their order. */
export interface MemberSink {
  /**
   * @param nameStart where the name begins, after its quote; `nameEnd` is at its closing quote
   * @param valueStart first byte of the value, `valueEnd` the one after its last
   */
  member(nameStart: number, nameEnd: number, kind: JsonKind, valueStart: number, valueEnd: number): void
}

const maxDepth = 64
const noBytes = new Uint8Array(0)

/**
 * Checks that bytes are one JSON text after RFC 8259, and reports the positions of the members of its outermost object.
 *
 * Strict: UTF-8 is verified, a byte-order mark is no white space, depth is at most 64. A lone surrogate escape is
 * legal, as the RFC's grammar has it. One pass, with a stack of its own instead of recursion.
 */
export class JsonScanner {
  /** Kind of the text's outermost value; valid after {@link scan} returned true. */
  kind: JsonKind = 'null'
  /** What is wrong, after {@link scan} returned false, and at which byte. */
  problem = ''
  problemAt = 0

  readonly #sink: MemberSink
  /** For each open container, whether it is an object. */
  readonly #isObject = new Uint8Array(maxDepth)
  #depth = 0
  #bytes: Uint8Array = noBytes
  #at = 0
  #end = 0
  /** The member of the outermost object that is being read. */
  #nameStart = 0
  #nameEnd = 0
  #valueKind: JsonKind = 'null'
  #valueStart = 0

  constructor(sink: MemberSink) {
    this.#sink = sink
  }

  /** Whether the bytes from `start` to `end` (exclusive) are one JSON text. All positions are those in `bytes`. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#depth = 0
    const isJson = this.#document()
    if (!isJson) this.problemAt = this.#at
    this.#bytes = noBytes
    return isJson
  }

  #document(): boolean {
    this.#skipSpace()
    let next: Next = 'value'
    while (next === 'value') next = this.#value()
    return next === 'end'
  }

  /** At the first byte of a value: moves past a scalar, or past the opening of a container. */
  #value(): Next {
    const first = this.#peek()
    if (this.#depth === 0) this.kind = kindOf(first)
    if (this.#depth === 1) {
      this.#valueStart = this.#at
      this.#valueKind = kindOf(first)
    }
    if (first !== openBrace && first !== openBracket) return this.#scalar(first) ? this.#afterValue() : 'invalid'
    if (this.#depth === maxDepth) return this.#fail(`nested deeper than ${maxDepth}`)
    this.#isObject[this.#depth++] = first === openBrace ? 1 : 0
    this.#at++
    this.#skipSpace()
    if (this.#peek() !== this.#closing()) return first === openBrace ? this.#name() : 'value'
    this.#close()
    return this.#afterValue()
  }

  /** Behind a value: closes what closes here, and goes to the next value. */
  #afterValue(): Next {
    for (;;) {
      if (this.#depth === 1 && this.kind === 'object') {
        this.#sink.member(this.#nameStart, this.#nameEnd, this.#valueKind, this.#valueStart, this.#at)
      }
      this.#skipSpace()
      if (this.#depth === 0) return this.#at === this.#end ? 'end' : this.#fail('more after the end of the value')
      const isObject = this.#closing() === closeBrace
      if (this.#peek() === comma) {
        this.#at++
        this.#skipSpace()
        return isObject ? this.#name() : 'value'
      }
      if (this.#peek() !== this.#closing()) return this.#fail(`a comma or ${isObject ? '}' : ']'} is missing`)
      this.#close()
    }
  }

  /** At the name of a member: goes to its value. */
  #name(): Next {
    const start = this.#at + 1
    if (this.#peek() !== quote) return this.#fail('a name in quotes is missing')
    if (!this.#string()) return 'invalid'
    if (this.#depth === 1) {
      this.#nameStart = start
      this.#nameEnd = this.#at - 1
    }
    this.#skipSpace()
    if (this.#peek() !== colon) return this.#fail('a colon is missing')
    this.#at++
    this.#skipSpace()
    return 'value'
  }

  #scalar(first: number): boolean {
    switch (kindOf(first)) {
      case 'string':
        return this.#string()
      case 'number':
        return this.#number()
      case 'true':
        return this.#literal('true')
      case 'false':
        return this.#literal('false')
      default:
        return this.#literal('null')
    }
  }

  #literal(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#peek() !== word.charCodeAt(i)) return this.#reject('a value is missing')
      this.#at++
    }
    return true
  }

  #number(): boolean {
    if (this.#peek() === minus) this.#at++
    if (this.#peek() === zero) this.#at++
    else if (!this.#digits()) return false
    if (this.#peek() === point) {
      this.#at++
      if (!this.#digits()) return false
    }
    if ((this.#peek() | lowerCase) === letterE) {
      this.#at++
      if (this.#peek() === minus || this.#peek() === plus) this.#at++
      if (!this.#digits()) return false
    }
    return true
  }

  #digits(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    const first = this.#at
    let at = first
    while (at < end && isDigit(bytes[at] as number)) at++
    this.#at = at
    return at > first || this.#reject('a digit is missing')
  }

  /** At an opening quote: moves past the closing one. */
  #string(): boolean {
    this.#at++
    for (;;) {
      this.#skipPlain()
      const byte = this.#peek()
      if (byte === quote) break
      if (byte < 0) return this.#reject('a string without an end')
      if (byte < 0x20) return this.#reject('a control character in a string')
      if (byte === backslash) {
        if (!this.#escape()) return false
      } else if (!this.#character(byte)) return false
    }
    this.#at++
    return true
  }

  /** Moves past the ASCII characters of a string that need no escape. */
  #skipPlain(): void {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.#at
    for (; at < end; at++) {
      const byte = bytes[at] as number
      if (byte < 0x20 || byte >= 0x80 || byte === quote || byte === backslash) break
    }
    this.#at = at
  }

  #escape(): boolean {
    this.#at++
    const byte = this.#peek()
    if (byte !== letterU) {
      if (!shortEscapes.has(byte)) return this.#reject('an unknown escape')
      this.#at++
      return true
    }
    this.#at++
    for (let i = 0; i < 4; i++) {
      if (!isHexDigit(this.#peek())) return this.#reject('an escape without its four hexadecimal digits')
      this.#at++
    }
    return true
  }

  /**
   * At the first byte of a character beyond ASCII. After table 3-7 of the Unicode Standard: only the second byte has
   * narrower bounds, which rule out overlong forms, surrogates, and what lies above U+10FFFF.
   */
  #character(first: number): boolean {
    if (first < 0xc2 || first > 0xf4) return this.#reject('not UTF-8')
    let lowest = 0x80
    let highest = 0xbf
    if (first === 0xe0) lowest = 0xa0
    if (first === 0xed) highest = 0x9f
    if (first === 0xf0) lowest = 0x90
    if (first === 0xf4) highest = 0x8f
    for (let left = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3; left > 0; left--) {
      this.#at++
      const byte = this.#peek()
      if (byte < lowest || byte > highest) return this.#reject('not UTF-8')
      lowest = 0x80
      highest = 0xbf
    }
    this.#at++
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#peek()
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  /** The byte here, −1 at the end. */
  #peek(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at] ?? -1) : -1
  }

  /** What closes the innermost container. */
  #closing(): number {
    return this.#isObject[this.#depth - 1] === 1 ? closeBrace : closeBracket
  }

  #close(): void {
    this.#at++
    this.#depth--
  }

  #fail(problem: string): 'invalid' {
    this.problem = problem
    return 'invalid'
  }

  #reject(problem: string): false {
    this.problem = problem
    return false
  }
}

/** What comes next: a value, the end of the text, or something that is no JSON. */
type Next = 'value' | 'end' | 'invalid'

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const colon = 0x3a
const quote = 0x22
const backslash = 0x5c
const minus = 0x2d
const plus = 0x2b
const point = 0x2e
const zero = 0x30
const letterE = 0x65
const letterU = 0x75
/** The bit that is set in a lower-case character and clear in its upper-case one. */
const lowerCase = 0x20
const shortEscapes = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)))

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isHexDigit(byte: number): boolean {
  const letter = byte | lowerCase
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66)
}

/** The only word that can begin with this byte; `null` for a byte that begins none: its first character is then reported as missing. */
function kindOf(first: number): JsonKind {
  switch (first) {
    case openBrace:
      return 'object'
    case openBracket:
      return 'array'
    case quote:
      return 'string'
    case 0x74:
      return 'true'
    case 0x66:
      return 'false'
    default:
      return first === minus || isDigit(first) ? 'number' : 'null'
  }
}
