// verify's own decoder: what it says by itself, and that it agrees with the workers' decoder on everything.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageDecoder } from '../../../src/kpi/decode/message.ts'
import { decodePlainly } from '../../../src/verify/plain-decoder.ts'
import { decode, recordMs } from '../kpi/decode/decoded.ts'
import { messageText, mutatedMessage } from '../kpi/decode/message-arbitrary.ts'
import { rawMessage } from '../kpi/decode/raw-message.ts'
import { propertyRuns } from '../kpi/property-runs.ts'

const maxFutureSeconds = 300
const latestUs = (recordMs + maxFutureSeconds * 1000) * 1000
const plainly = (value: string | Uint8Array | null, decimals = 8) =>
  decodePlainly(value === null ? null : Buffer.from(value), latestUs, decimals)

it('reads a message', () => {
  expect(plainly(rawMessage())).toEqual({
    symbol: 'AAPL',
    timestampUs: 1_771_079_405_250_000,
    open: 18_715_000_000n,
    high: 18_720_000_000n,
    low: 18_710_000_000n,
    close: 18_718_000_000n,
    volume: 120_000_000_000n,
  })
})

const three = 300_000_000n

it('takes the close for prices that are absent, and the last of a repeated field', () => {
  const tick = rawMessage({ open: null, high: null, low: null, close: '1', volume: '2,"clos\\u0065":3' })
  expect(plainly(tick)).toMatchObject({ open: three, high: three, low: three, close: three, volume: 200_000_000n })
})

it.each([
  ['1e-8', 1n],
  ['0.000000005', 0n],
  ['0.000000015', 2n],
  ['0.0000000250000000000000000001', 3n],
  ['-0', 0n],
  ['-37.63', -3_763_000_000n],
  ['1E+3', 100_000_000_000n],
  ['1e-400', 0n],
  ['0e999999999999', 0n],
  ['999999999999999.99999999', 99_999_999_999_999_999_999_999n],
  ['45035996.27370496', 4_503_599_627_370_496n],
])('reads the number %s digit by digit', (text, scaled) => {
  expect(plainly(rawMessage({ close: text }))).toMatchObject({ close: scaled })
})

it.each([
  ['1e-18', 18, 1n],
  ['0.000000123789', 12, 123_789n],
  ['0.0000000000005', 12, 0n],
  ['0.0000000000015', 12, 2n],
  ['187.18', 18, 187_180_000_000_000_000_000n],
  ['999999999999999.999999999999', 12, 10n ** 27n - 1n],
])('reads the number %s with %i decimals', (text, decimals, scaled) => {
  expect(plainly(rawMessage({ close: text }), decimals)).toMatchObject({ close: scaled })
})

it('looks at range and sign after rounding', () => {
  const close = '999999999999999.9999999999995'
  expect([12, 13].map((decimals) => typeof plainly(rawMessage({ close }), decimals))).toEqual(['string', 'object'])
  const volume = '-1e-9'
  expect(plainly(rawMessage({ volume }), 8)).toMatchObject({ volume: 0n })
  expect(plainly(rawMessage({ volume }), 9)).toBe('negative_volume')
})

it.each([
  ['no value', null, 'empty'],
  ['no byte', '', 'empty'],
  ['too many bytes', ' '.repeat(65_537), 'too_large'],
  ['a byte-order mark', `\ufeff${rawMessage()}`, 'not_json'],
  ['invalid UTF-8', Uint8Array.from([0x7b, 0xff, 0x7d]), 'not_json'],
  ['nesting of 65', rawMessage({ x: '['.repeat(64) + ']'.repeat(64) }), 'not_json'],
  ['nesting too deep for recursion', '['.repeat(65_536), 'not_json'],
  ['an array', '[1]', 'not_object'],
  ['a number', '1', 'not_object'],
  ['null', 'null', 'not_object'],
  ['no volume', rawMessage({ volume: null, symbol: '""' }), 'missing_field'],
  ['a symbol with a space', rawMessage({ symbol: '"BRK B"', timestamp: '""' }), 'bad_symbol'],
  ['a number for a symbol', rawMessage({ symbol: '7' }), 'bad_symbol'],
  ['30 February', rawMessage({ timestamp: '"2026-02-30T00:00:00Z"' }), 'bad_timestamp'],
  ['a leap second', rawMessage({ timestamp: '"2026-02-14T14:30:60Z"' }), 'bad_timestamp'],
  ['the year 70', rawMessage({ timestamp: '"0070-01-01T00:00:00Z"' }), 'bad_timestamp'],
  ['a time before 1970', rawMessage({ timestamp: '"1969-12-31T23:59:59Z"' }), 'bad_timestamp'],
  ['an offset of a day', rawMessage({ timestamp: '"2026-02-14T14:30:05+24:00"' }), 'bad_timestamp'],
  ['milliseconds with a fraction', rawMessage({ timestamp: '1.5' }), 'bad_timestamp'],
  ['a number in quotes', rawMessage({ close: '"187"' }), 'bad_number'],
  ['10^15', rawMessage({ volume: '1e15' }), 'bad_number'],
  ['an open of null', rawMessage({ open: 'null', volume: '-1' }), 'bad_number'],
  ['a volume below 0', rawMessage({ volume: '-1', timestamp: '9007199254740992' }), 'negative_volume'],
  ['a time too far ahead', rawMessage({ timestamp: String(recordMs + 300_001) }), 'future_timestamp'],
])('rejects %s', (_what, value, reason) => {
  expect(plainly(value)).toBe(reason)
})

it.each([
  ['nesting of 64', rawMessage({ x: '['.repeat(63) + ']'.repeat(63) })],
  ['brackets in a string', rawMessage({ x: JSON.stringify('[{"\\'.repeat(100)) })],
  ['a lone surrogate in another field', rawMessage({ x: '"\\ud800"' })],
  ['the last time that is not too far ahead', rawMessage({ timestamp: String(recordMs + 300_000) })],
  ['a volume that is 0 after rounding', rawMessage({ volume: '-1e-9' })],
])('accepts %s', (_what, value) => {
  expect(plainly(value)).toMatchObject({ symbol: 'AAPL' })
})

describe('it agrees with the workers’ decoder', () => {
  const decoders = Array.from({ length: 11 }, (_, i) => new MessageDecoder({ maxFutureSeconds, decimals: 8 + i }))
  const decimals = fc.oneof(fc.constant(8), fc.integer({ min: 8, max: 18 }))
  const expectAgreement = (bytes: Uint8Array, decimals: number) => {
    const message = plainly(bytes, decimals)
    const decoder = decoders[decimals - 8] as MessageDecoder
    const decoded = decode(decoder, bytes, recordMs, decimals)
    expect(typeof message === 'string' ? { reason: message } : message).toEqual(decoded)
  }

  it('on messages of many forms', () => {
    fc.assert(
      fc.property(messageText, decimals, (text, d) => expectAgreement(Buffer.from(text), d)),
      propertyRuns,
    )
  })

  it('on messages with a few bytes changed', () => {
    fc.assert(fc.property(mutatedMessage, decimals, expectAgreement), propertyRuns)
  })
})
