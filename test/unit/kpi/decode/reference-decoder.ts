import type { RejectReason } from '../../../../src/kpi/decode/message.ts'
import type { Decoded } from './decoded.ts'

/** A JSON number as it stands in the message. */
class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

class Rejection extends Error {
  readonly reason: RejectReason
  constructor(reason: RejectReason) {
    super(reason)
    this.reason = reason
  }
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
/** TypeScript 7 does not know the third argument of a reviver yet, which has the digits of a number. */
const parseJson = JSON.parse as (text: string, reviver: Reviver) => unknown

/**
 * The contract of docs/message-format.md once more, in as few and as plain words as it takes: JSON.parse, regular
 * expressions, Date and bigints, without a thought about speed. The tests hold the decoder against it.
 */
export function referenceDecode(
  bytes: Uint8Array | null,
  referenceMs: number,
  maxFutureSeconds: number,
  decimals = 8,
): Decoded {
  try {
    return accept(bytes, referenceMs, maxFutureSeconds, decimals)
  } catch (thrown) {
    if (thrown instanceof Rejection) return { reason: thrown.reason }
    throw thrown
  }
}

function accept(bytes: Uint8Array | null, referenceMs: number, maxFutureSeconds: number, decimals: number): Decoded {
  if (bytes === null || bytes.length === 0) throw new Rejection('empty')
  if (bytes.length > 65_536) throw new Rejection('too_large')
  const members = membersOf(bytes)
  for (const name of ['symbol', 'timestamp', 'close', 'volume']) {
    if (!members.has(name)) throw new Rejection('missing_field')
  }
  const symbol = members.get('symbol')
  if (typeof symbol !== 'string' || !/^[!-~]{1,32}$/.test(symbol)) throw new Rejection('bad_symbol')
  const timestampUs = timestampOf(members.get('timestamp'))
  const close = numberOf(members.get('close'), decimals)
  const volume = numberOf(members.get('volume'), decimals)
  const [open, high, low] = ['open', 'high', 'low'].map((name) =>
    members.has(name) ? numberOf(members.get(name), decimals) : close,
  ) as [bigint, bigint, bigint]
  if (volume < 0n) throw new Rejection('negative_volume')
  const isAhead = timestampUs > (BigInt(referenceMs) + BigInt(maxFutureSeconds) * 1000n) * 1000n
  if (isAhead || timestampUs >= 2n ** 53n) throw new Rejection('future_timestamp')
  return { symbol, timestampUs: Number(timestampUs), open, high, low, close, volume }
}

function membersOf(bytes: Uint8Array): Map<string, unknown> {
  let value: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (depthOf(text) > 64) throw new Error('nested too deep')
    value = parseJson(text, (_, value, { source }) =>
      typeof value === 'number' && source !== undefined ? new NumberText(source) : value,
    )
  } catch {
    throw new Rejection('not_json')
  }
  const isObject =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
  if (!isObject) throw new Rejection('not_object')
  return new Map(Object.entries(value as object))
}

/** Of a JSON text; of any other it does not matter. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    if (token[0] === '[' || token[0] === '{') depth++
    if (token[0] === ']' || token[0] === '}') depth--
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

function timestampOf(value: unknown): bigint {
  if (value instanceof NumberText && /^\d{1,17}$/.test(value.text)) return BigInt(value.text) * 1000n
  const parts =
    typeof value === 'string'
      ? /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d))?$/.exec(value)
      : null
  if (!parts) throw new Rejection('bad_timestamp')
  const [, day, time, fraction = '', sign = '+', hours = '00', minutes = '00'] = parts
  const local = new Date(`${day}T${time}Z`)
  // Date takes 30 February for 1 March, and 24:00:00 for the next day.
  if (Number.isNaN(local.getTime()) || local.toISOString() !== `${day}T${time}.000Z`) {
    throw new Rejection('bad_timestamp')
  }
  const offsetMs = BigInt(`${sign}${Number(hours) * 60 + Number(minutes)}`) * 60_000n
  const us = (BigInt(local.getTime()) - offsetMs) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
  if (us < 0n) throw new Rejection('bad_timestamp')
  return us
}

function numberOf(value: unknown, decimals: number): bigint {
  if (!(value instanceof NumberText)) throw new Rejection('bad_number')
  const [mantissa = '', exponent = '0'] = value.text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = BigInt(whole + fraction)
  if (digits === 0n) return 0n
  const power = Number(exponent) - fraction.length + decimals
  if (power > 100) throw new Rejection('bad_number')
  // A quotient this small is none: it has fewer digits than the divisor by far.
  if (power < -100_000) return 0n
  const scaled = power >= 0 ? digits * 10n ** BigInt(power) : quotientHalfEven(digits, 10n ** BigInt(-power))
  if (scaled >= 10n ** BigInt(15 + decimals)) throw new Rejection('bad_number')
  return value.text.startsWith('-') ? -scaled : scaled
}

function quotientHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const twice = (dividend % divisor) * 2n
  const roundsUp = twice > divisor || (twice === divisor && quotient % 2n === 1n)
  return roundsUp ? quotient + 1n : quotient
}
