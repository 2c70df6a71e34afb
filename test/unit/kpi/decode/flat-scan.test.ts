import { describe, expect, it } from 'vitest'
import { MessageDecoder } from '../../../../src/kpi/decode/message.ts'
import { decode, decodeAlone, recordMs } from './decoded.ts'
import { rawMessage } from './raw-message.ts'
import { referenceDecode } from './reference-decoder.ts'

const decoder = new MessageDecoder({ maxFutureSeconds: 300, decimals: 8 })

/** Whether the message was read where it stands; the full parser puts the symbol into a buffer of its own. */
function isTaken(text: string): boolean {
  const bytes = Buffer.from(text)
  return decoder.decode(bytes, 0, bytes.length, recordMs) === undefined && decoder.symbolBytes === bytes
}

/** As producers of several kinds write them. */
const recorded = [
  // JSON.stringify of a bar.
  '{"symbol":"AAPL","timestamp":"2026-02-14T14:30:05.250Z","open":187.15,"high":187.2,"low":187.1,"close":187.18,"volume":1200}',
  '{"symbol":"BRK.B","timestamp":"2026-02-14T14:30:00.000Z","open":478.5,"high":478.5,"low":478.5,"close":478.5,"volume":0}',
  '{"symbol":"BTC/USDT","timestamp":"2026-02-14T14:29:59.999Z","open":61837.63,"high":61837.64,"low":61837.63,"close":61837.63,"volume":0.02}',
  '{"symbol":"EURUSD=X","timestamp":"2026-02-14T14:30:05Z","open":1.08423,"high":1.0843,"low":1.0842,"close":1.08425,"volume":0}',
  '{"symbol":"^GSPC","timestamp":"2026-02-14T09:30:05-05:00","open":6012.25,"high":6013,"low":6011.75,"close":6012.5,"volume":4503599}',
  '{"symbol":"CL=F","timestamp":"2026-02-14T14:30:05Z","open":-37.63,"high":-36.98,"low":-40.32,"close":-37.63,"volume":77076}',
  // A tick.
  '{"symbol":"ETHUSDT","timestamp":1771079405250,"close":2683.8,"volume":3.0292}',
  '{"symbol":"ETHUSDT","timestamp":1771079405251,"close":2683.81000000,"volume":31.43950000}',
  // json.dumps of Python: spaces, isoformat, floats with all their digits.
  '{"symbol": "AAPL", "timestamp": "2026-02-14T14:30:05.250000+00:00", "open": 198.64979553222656, "high": 198.67999267578125, "low": 198.39500427246094, "close": 198.6334991455078, "volume": 0}',
  '{"symbol": "SPY", "timestamp": "2026-02-14T14:30:05.250000", "open": 586.4099731445312, "high": 586.4199829101562, "low": 586.1400146484375, "close": 586.2899780273438, "volume": 157418}',
  '{"symbol": "MSFT", "timestamp": "2026-02-14 14:30:05", "open": 410.0, "high": 410.5, "low": 409.95, "close": 410.25, "volume": 100.0}',
  // Go and Rust: nanoseconds, fields in the order of the alphabet.
  '{"close":187.18,"high":187.2,"low":187.1,"open":187.15,"symbol":"AAPL","timestamp":"2026-02-14T14:30:05.250123456Z","volume":1200}',
  '{"volume":1200,"close":187.18,"low":187.1,"high":187.2,"open":187.15,"timestamp":"2026-02-14T14:30:05.250Z","symbol":"AAPL"}',
  // An exchange: eight digits behind the point, other members among the known ones.
  '{"exchange":"binance","symbol":"DOGEUSDT","timestamp":1771079405250,"open":0.09876000,"high":0.09880000,"low":0.09870000,"close":0.09879000,"volume":1234567.00000000,"trades":3735683259,"isFinal":true}',
  '{"type":"bar","symbol":"TSLA","timestamp":"2026-02-14T20:00:05+0530","close":250.01,"volume":5,"vwap":250.005,"note":null,"venue":"XNAS","odd":false,"delta":-0.5}',
  '{"symbol":"SHIBUSDT","timestamp":"2026-02-14T14:30:05.250Z","open":0.00001842,"high":0.00001843,"low":0.00001842,"close":0.00001843,"volume":45035996}',
  // Printed for reading.
  '{\n  "symbol": "NVDA",\n  "timestamp": "2026-02-14T14:30:05.250Z",\n  "close": 131.28,\n  "volume": 7\n}',
  '{\r\n\t"symbol" : "NVDA" ,\r\n\t"timestamp" : "2026-02-14t14:30:05z" ,\r\n\t"close" : 131.28 ,\r\n\t"volume" : 7\r\n}',
  '{"symbol":"A","timestamp":0,"close":0,"volume":0}',
  '{"symbol":"A","timestamp":"1970-01-01T00:00:00Z","close":0.1,"volume":1,"n":5}',
  '{"close":1,"volume":1,"symbol":"A","timestamp":"2026-02-14T14:30:05"}',
  '{"close":1,"volume":1,"symbol":"A","timestamp":"2026-02-14T14:30:05+0000"}',
  '{"symbol":"A-symbol-with-32-characters-here","timestamp":"2026-02-14T14:30:05.250Z","close":1,"volume":1}',
  '{"n":5,"symbol":"A","timestamp":"2024-02-29T23:59:59.9Z","close":-0,"volume":-0}',
]

describe('the fast path', () => {
  it.each(recorded)('takes %s', (text) => {
    expect(isTaken(text)).toBe(true)
    expect(decode(decoder, text)).toEqual(referenceDecode(Buffer.from(text), recordMs, 300))
  })

  it('takes instants of one minute and of another, in turn', () => {
    const minutes = ['2026-02-14T14:30', '2026-02-14T14:29', '2026-02-13T14:30', '2025-02-14T14:30', '2026-02-14T04:30']
    for (const minute of [...minutes, ...minutes.toReversed(), ...minutes]) {
      const timestamp = `${minute}:05.250Z`
      const text = rawMessage({ timestamp: `"${timestamp}"` })
      expect(isTaken(text)).toBe(true)
      expect(decoder.timestampUs).toBe(Date.parse(timestamp) * 1000)
    }
  })

  it('takes what it can round: half-even at the eighth digit', () => {
    const rounded = (close: string) => (isTaken(rawMessage({ close })) ? decoder.close : undefined)
    expect(rounded('1.000000005')).toBe(100_000_000)
    expect(rounded('1.000000015')).toBe(100_000_002)
    expect(rounded('1.0000000050000000000000000000000000001')).toBe(100_000_001)
    expect(rounded('0.00005000500000')).toBe(5000)
    expect(rounded('0.99999999500000')).toBe(100_000_000)
    expect(rounded('0.999999994999999999')).toBe(99_999_999)
    expect(rounded('-1.000000015')).toBe(-100_000_002)
    expect(rounded('0.0000000100000')).toBe(1)
    expect(rounded('-0.000000000')).toBe(0)
    expect(rounded('45035996.273704954')).toBe(2 ** 52 - 1)
    expect(rounded('45035996.273704955')).toBeUndefined()
  })

  it('leaves a number to the full parser that rounding would change too much', () => {
    for (const [close, scaled] of [
      ['0.000000005', 0n],
      ['0.000000015', 2n],
      ['-0.000000004', 0n],
      ['0.000049995', 5000n],
      ['0.00004999500000000000001', 5000n],
    ] as const) {
      expect(isTaken(rawMessage({ close }))).toBe(false)
      expect(decode(decoder, rawMessage({ close }))).toMatchObject({ close: scaled })
    }
  })

  it('takes eight digits behind the point where more are kept, and zeros behind them', () => {
    const finer = new MessageDecoder({ maxFutureSeconds: 300, decimals: 12 })
    const taken = (close: string) => {
      const bytes = Buffer.from(rawMessage({ close }))
      expect(finer.decode(bytes, 0, bytes.length, recordMs)).toBeUndefined()
      return finer.symbolBytes === bytes && !finer.isWide
    }
    expect(['187.18', '0.00000012', '0.000000120000', '-1.5000000000000'].map(taken)).toEqual([true, true, true, true])
    expect(['0.000000123', '187.000000001', '1.0000000000001'].map(taken)).toEqual([false, false, false])
    // The full parser gives what fits the fast path in its form.
    expect(taken('15e-1')).toBe(false)
    expect([finer.isWide, finer.close]).toEqual([false, 150_000_000])
    expect(taken('1.0000000000001')).toBe(false)
    expect([finer.isWide, finer.close]).toEqual([false, 100_000_000])
  })

  it.each([
    ['an escape in a name', '"note\\u0031":1'],
    ['an escape in a string', '"note":"\\n"'],
    ['a string beyond ASCII', '"note":"é"'],
    ['an array', '"note":[]'],
    ['an object', '"note":{}'],
    ['an exponent', '"low":1e2'],
    ['a wide number', '"low":45035997'],
    ['a repeated field', '"close":1'],
  ])('leaves %s to the full parser, which accepts it', (_, member) => {
    const text = `${rawMessage({ low: null }).slice(0, -1)},${member}}`
    expect(isTaken(text)).toBe(false)
    expect(decode(decoder, text)).toEqual(referenceDecode(Buffer.from(text), recordMs, 300))
    expect(decode(decoder, text)).not.toHaveProperty('reason')
  })

  /** What the scan must not take for something else; each list holds good ones too. */
  const odd = {
    timestamp: [
      ...[
        '1969-12-31T23:59:59Z',
        '2026-02-14T14:30:60Z',
        '2026-02-14T14:60:05Z',
        '2026-02-14T24:00:00Z',
        '2026-02-14T14:30:05.Z',
        '2026-02-14T14:30:05+24:00',
        '2026-02-14T14:30:05-00:60',
        '1970-01-01T00:00:00+00:01',
        '2255-06-05T23:47:34.740992Z',
        '2026-02-14T14:30:05+',
        '',
      ],
      ...['2026-02-14T14:30:05.250Z', '2255-06-05T23:47:34.740991Z', '1970-01-01T00:00:00+00:00'].flatMap(misspelled),
    ].map((time) => `"${time}"`),
    milliseconds: ['0', '01', '00', '-1', '1.', '9007199254740', '9007199254741', '12345678901234', '1e3', '1-2'],
    number: '.5 - -.5 1. -1. 01 -01 00 0. 1..2 1.2.3 --1 +1 12345678 123456789'.split(' '),
    symbol: [
      '"',
      '""',
      '" "',
      '"A B"',
      '"A\u007fB"',
      '"~"',
      '"A',
      '"A"B"',
      '7',
      `"${'A'.repeat(32)}"`,
      `"${'A'.repeat(33)}"`,
    ],
    other: ['-', '-0', '01', '-01', '1.', '.1', '1.2', '1e5', '"\u007f"', '"\u0001"', '"\\"', '"', ''],
    word: ['true', 'false', 'null', 'tru', 'truee', 'nul', 'falsenull', 'True'],
    space: ['\u000b', '\f', '\u0000', '\u001f', '\u00a0', '\r', '\t\n '],
  }
  const usual = rawMessage()
  const tick = rawMessage({ open: null, high: null, low: null })
  const members = JSON.parse(usual) as Record<string, unknown>
  const renamed = (name: string, other: string, value: unknown) =>
    rawMessage({ [name]: null, [other]: JSON.stringify(value) })

  it.each([
    ['timestamps', [...odd.timestamp, ...odd.milliseconds].map((timestamp) => rawMessage({ timestamp }))],
    ['numbers', [...odd.number, ...odd.word].map((low) => rawMessage({ low }))],
    ['symbols', [...odd.symbol, ...odd.word].map((symbol) => rawMessage({ symbol }))],
    ['letters', [usual, tick].flatMap(misspelled)],
    ['cuts', [usual, tick].flatMap(cuts)],
    ['other members', [...odd.other, ...odd.word].map((note) => rawMessage({ note }))],
    ['names', Object.entries(members).flatMap(([name, text]) => oddNames(name).map((odd) => renamed(name, odd, text)))],
    ['spaces', odd.space.flatMap((space) => [rawMessage({ low: `${space}1` }), rawMessage({ low: `1${space}` })])],
    [
      'ends',
      [
        usual.slice(0, -1),
        `${usual}}`,
        `${usual.slice(0, -1)},}`,
        '{}',
        '{',
        '}',
        '{}}',
        '{"',
        '{"}',
        '{"timestamp":"2026-02-14T14:30:05+}',
      ],
    ],
    [
      'marks',
      [
        usual.replace(',', ',,'),
        usual.replace(',', ' '),
        usual.replace(':', ' '),
        usual.replace('{', '{,'),
        ...Object.keys(members).map((name) => usual.replace(`${name}":`, `${name}~:`)),
      ],
    ],
  ])('takes no odd %s for something else', (_, texts) => {
    const record = 2 ** 43
    for (const text of texts) {
      const expected = { text, ...referenceDecode(Buffer.from(text), record, 300) }
      expect({ text, ...decode(decoder, text, record) }).toEqual(expected)
      expect({ text, ...decodeAlone(decoder, text, record) }).toEqual(expected)
    }
  })

  it('leaves spaces around the object to the full parser, which accepts them', () => {
    expect(isTaken(` ${rawMessage()}`)).toBe(false)
    expect(isTaken(`${rawMessage()}\n`)).toBe(false)
    expect(decode(decoder, ` ${rawMessage()}\n`)).toEqual(decode(decoder, rawMessage()))
  })
})

/** Names that begin or end as a field does. */
function oddNames(name: string): string[] {
  return [`${name}s`, `${name} `, name.slice(0, -1), `${name.slice(0, -1)}~`, `${name.slice(0, 3)}~${name.slice(4)}`]
}

/** A text with one character changed: to one just above or below those that may stand there, or of another kind. */
function misspelled(text: string): string[] {
  return [...text].flatMap((_, i) => [...'09:.-Zz" '].map((letter) => text.slice(0, i) + letter + text.slice(i + 1)))
}

/** A text that stops early, at a brace. */
function cuts(text: string): string[] {
  return [...text].map((_, i) => `${text.slice(0, i)}}`)
}
