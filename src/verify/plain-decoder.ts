/**
 * Reads a message a second time, in the simplest correct way: JSON.parse with a reviver that sees each number's
 * digits, BigInt decimals, the calendar of Date. It shares no code with the pipeline's decoder, so that `verify` finds
 * its errors. The rules are those of docs/message-format.md, in the same order.
 */
export interface PlainMessage {
  readonly symbol: string
  /** Microseconds since the epoch, below 2^53. */
  readonly timestampUs: number
  /** Prices and volume scaled by 10^decimals. */
  readonly open: bigint
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
  readonly volume: bigint
}

/** Either the message, or the reason for which it is rejected. */
export type Decoded = PlainMessage | string

/** A JSON number, as the message contains it. */
class NumberText {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }
}

const maxBytes = 65_536
const maxDepth = 64
/** From here on no instant counts, and below it a double holds every one: docs/decisions/0004. */
const endOfTimeUs = 2 ** 53
/** A magnitude of 10^15 is the first that is refused. */
const wholeDigits = 15
/** That magnitude, scaled, by the number of decimals. */
const scaledLimits = Array.from({ length: 19 }, (_, decimals) => 10n ** BigInt(wholeDigits + decimals))
/** As Node has it since version 21; TypeScript's library does not declare the third argument yet. */
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { source: string }) => unknown,
) => unknown
const parseWithSource = JSON.parse as ParseWithSource
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @param value - Null where the record has none.
 * @param latestUs - The latest timestamp that is not in the future.
 * @param decimals - Fractional digits that numbers keep.
 */
export function decodePlainly(value: Uint8Array | null, latestUs: number, decimals: number): Decoded {
  const scaledOf = (number: unknown) => scaledNumber(number, decimals)
  if (value === null || value.length === 0) return 'empty'
  if (value.length > maxBytes) return 'too_large'
  const document = parseJson(value)
  if (document === undefined) return 'not_json'
  if (!isObject(document)) return 'not_object'
  for (const name of ['symbol', 'timestamp', 'close', 'volume']) {
    if (!Object.hasOwn(document, name)) return 'missing_field'
  }
  const { symbol } = document
  if (typeof symbol !== 'string' || !/^[\x21-\x7e]{1,32}$/.test(symbol)) return 'bad_symbol'
  const timestampUs = timestampOf(document.timestamp)
  if (timestampUs === undefined) return 'bad_timestamp'
  const close = scaledOf(document.close)
  const volume = scaledOf(document.volume)
  if (close === undefined || volume === undefined) return 'bad_number'
  const open = Object.hasOwn(document, 'open') ? scaledOf(document.open) : close
  const high = Object.hasOwn(document, 'high') ? scaledOf(document.high) : close
  const low = Object.hasOwn(document, 'low') ? scaledOf(document.low) : close
  if (open === undefined || high === undefined || low === undefined) return 'bad_number'
  if (volume < 0n) return 'negative_volume'
  if (timestampUs >= endOfTimeUs || timestampUs > latestUs) return 'future_timestamp'
  return { symbol, timestampUs, open, high, low, close, volume }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

/** Undefined when the bytes are no JSON text; JSON itself has no such value. */
function parseJson(value: Uint8Array): unknown {
  try {
    const text = utf8.decode(value)
    if (depthOf(text) > maxDepth) return undefined
    return parseWithSource(text, keepDigits)
  } catch {
    return undefined
  }
}

function keepDigits(_key: string, value: unknown, context: { source: string }): unknown {
  return typeof value === 'number' ? new NumberText(context.source) : value
}

/** How deep brackets are nested, outside of strings. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let isString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (isString && character === '\\') i += 1
    else if (character === '"') isString = !isString
    else if (isString) continue
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth -= 1
  }
  return deepest
}

/** The number times 10^decimals, rounded half-even; undefined when it is none, or not below 10^15. */
function scaledNumber(value: unknown, decimals: number): bigint | undefined {
  if (!(value instanceof NumberText)) return undefined
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(value.digits)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  // The number is DIGITS · 10^(shift − decimals).
  const shift = Number(exponent) - fraction.length + decimals
  let scaled: bigint
  if (/^0*$/.test(digits) || shift < -digits.length) scaled = 0n
  else if (shift > wholeDigits + decimals) return undefined
  else scaled = shift >= 0 ? BigInt(digits + '0'.repeat(shift)) : divideHalfEven(BigInt(digits), 10n ** BigInt(-shift))
  if (scaled >= (scaledLimits[decimals] ?? 0n)) return undefined
  return sign === '-' ? -scaled : scaled
}

function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const twice = (dividend % divisor) * 2n
  const roundsUp = twice > divisor || (twice === divisor && quotient % 2n === 1n)
  return roundsUp ? quotient + 1n : quotient
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))?$/

/** Microseconds since the epoch, not exact from {@link endOfTimeUs} on; undefined for what is no time since 1970. */
function timestampOf(value: unknown): number | undefined {
  if (value instanceof NumberText) {
    return /^\d{1,17}$/.test(value.digits) ? Number(value.digits) * 1000 : undefined
  }
  const match = typeof value === 'string' ? rfc3339.exec(value) : null
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const midnight = new Date(0)
  midnight.setUTCFullYear(year, month - 1, day)
  // A day that does not exist, such as 30 February, becomes another.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (offsetHours > 23 || offsetMinutes > 59) return undefined
  const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1)
  const seconds = midnight.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second
  const us = seconds * 1e6 + Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'))
  return us < 0 ? undefined : us
}
