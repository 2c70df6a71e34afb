import { describe, expect, it } from 'vitest'
import { MessageDecoder, type RejectReason, rejectReasons } from '../../../../src/kpi/decode/message.ts'
import { decode, decodeAlone, recordMs } from './decoded.ts'
import { rawMessage } from './raw-message.ts'

const decoder = new MessageDecoder({ maxFutureSeconds: 300, decimals: 8 })

const usual = {
  symbol: 'AAPL',
  timestampUs: 1_771_079_405_250_000,
  open: 18_715_000_000n,
  high: 18_720_000_000n,
  low: 18_710_000_000n,
  close: 18_718_000_000n,
  volume: 120_000_000_000n,
}

/** JSON that decodes to the usual bar by the full parser alone: an escape stands in a name. */
const unusual = rawMessage().replace('"close"', '"clos\\u0065"')

function reasonOf(value: string | Uint8Array | null, referenceMs = recordMs): RejectReason | undefined {
  const decoded = decode(decoder, value, referenceMs)
  return 'reason' in decoded ? decoded.reason : undefined
}

describe('an accepted message', () => {
  it('gives its symbol, its time and its numbers', () => {
    expect(decode(decoder, rawMessage())).toEqual(usual)
    expect(decode(decoder, unusual)).toEqual(usual)
  })

  it('is a tick when it has only a close', () => {
    const { close } = usual
    expect(decode(decoder, rawMessage({ open: null, high: null, low: null }))).toEqual({
      ...usual,
      open: close,
      high: close,
      low: close,
    })
    expect(decode(decoder, rawMessage({ high: null }))).toEqual({ ...usual, high: close })
  })

  it.each(['BRK.B', 'BTC/USDT', 'EURUSD=X', '^GSPC', 'aapl', '~', '!', 'A-symbol-with-32-characters-here'])(
    'has the symbol %s',
    (symbol) => {
      expect(decode(decoder, rawMessage({ symbol: `"${symbol}"` }))).toEqual({ ...usual, symbol })
      expect(decode(decoder, rawMessage({ symbol: `"\\u${code(symbol)}${symbol.slice(1)}"` }))).toEqual({
        ...usual,
        symbol,
      })
    },
  )

  it('reads escapes in symbol and timestamp', () => {
    expect(decode(decoder, rawMessage({ symbol: '"A\\"\\\\\\/B"' }))).toEqual({ ...usual, symbol: 'A"\\/B' })
    expect(decode(decoder, rawMessage({ timestamp: '"\\u0032026-02-14T14:30:05.250Z"' }))).toEqual(usual)
  })

  it('may have a close of zero or below, and no volume', () => {
    expect(decode(decoder, rawMessage({ close: '0', volume: '0' }))).toEqual({ ...usual, close: 0n, volume: 0n })
    expect(decode(decoder, rawMessage({ close: '-37.63' }))).toEqual({ ...usual, close: -3_763_000_000n })
    expect(decode(decoder, rawMessage({ close: '-0', volume: '-0.0' }))).toEqual({ ...usual, close: 0n, volume: 0n })
  })

  it('has its numbers rounded half-even before range and sign are looked at', () => {
    expect(decode(decoder, rawMessage({ close: '0.000000005', volume: '0.000000015' }))).toEqual({
      ...usual,
      close: 0n,
      volume: 2n,
    })
    expect(decode(decoder, rawMessage({ volume: '-1e-9' }))).toEqual({ ...usual, volume: 0n })
    expect(decode(decoder, rawMessage({ volume: '-0.000000005' }))).toEqual({ ...usual, volume: 0n })
  })

  it('keeps digits that a double would lose', () => {
    const close = '999999999999999.99999999'
    expect(decode(decoder, rawMessage({ close }))).toEqual({ ...usual, close: 10n ** 23n - 1n })
    expect(decode(decoder, rawMessage({ volume: '90071992.54740993' }))).toEqual({ ...usual, volume: 2n ** 53n + 1n })
  })

  it.each([
    ['45035996.27370495', false],
    ['45035996.27370496', true],
    ['45035996.273704955', true],
    ['45035997', true],
    ['45035996', false],
    ['-45035996.27370495', false],
    ['-45035996.27370496', true],
  ])('is wide from 2^52 on: a low of %s', (low, isWide) => {
    const scaled = low.endsWith('55') ? 2n ** 52n : BigInt(low.replace('.', '')) * (low.includes('.') ? 1n : 10n ** 8n)
    expect(decode(decoder, rawMessage({ low }))).toEqual({ ...usual, low: scaled })
    expect(decoder.isWide).toBe(isWide)
  })

  it('is wide when any of its numbers is', () => {
    for (const name of ['open', 'high', 'low', 'close', 'volume']) {
      expect(decode(decoder, rawMessage({ [name]: '1e9' }))).toEqual({ ...usual, [name]: 10n ** 17n })
      expect(decoder.isWide).toBe(true)
    }
  })

  it('may have other members of any kind', () => {
    for (const note of [
      '"x"',
      '1e999',
      'null',
      'true',
      '[1,[2,{}]]',
      '{"close":3,"symbol":"X"}',
      '"\\ud800"',
      '"é€😀"',
    ]) {
      expect(decode(decoder, rawMessage({ note }))).toEqual(usual)
    }
    for (const name of ['Close', 'close ', 'clos', 'closed', '', '__proto__', 'timestam', 'timestamps', 'symbols']) {
      expect(decode(decoder, rawMessage({ [name]: 'null' }))).toEqual(usual)
    }
  })

  it('counts the last of a repeated member, escaped or not', () => {
    const twice = (first: string, last: string) => `{"close":${first},${rawMessage({ close: last }).slice(1)}`
    expect(decode(decoder, twice('1', '187.18'))).toEqual(usual)
    expect(decode(decoder, twice('null', '187.18'))).toEqual(usual)
    expect(reasonOf(twice('187.18', 'null'))).toBe('bad_number')
    expect(decode(decoder, `{"clos\\u0065":1,${rawMessage().slice(1)}`)).toEqual(usual)
    expect(decode(decoder, `${rawMessage({ close: '1' }).slice(0, -1)},"\\u0063lose":187.18}`)).toEqual(usual)
    const spelled = [...'timestamp'].map((letter) => `\\u${code(letter)}`).join('')
    expect(decode(decoder, `${rawMessage().slice(0, -1)},"${spelled}":0}`)).toEqual({ ...usual, timestampUs: 0 })
  })

  it('may be as large as 65,536 bytes', () => {
    const empty = rawMessage({ note: '""' })
    const note = (bytes: number) => rawMessage({ note: `"${'x'.repeat(bytes - empty.length)}"` })
    expect(decode(decoder, note(65_536))).toEqual(usual)
    expect(reasonOf(note(65_537))).toBe('too_large')
  })

  it('may be nested 64 deep, its own braces included', () => {
    const nested = (depth: number) => rawMessage({ note: `${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}` })
    expect(decode(decoder, nested(64))).toEqual(usual)
    expect(reasonOf(nested(65))).toBe('not_json')
    expect(decode(decoder, rawMessage({ note: `"${'['.repeat(100)}"` }))).toEqual(usual)
  })

  it('has its symbol in the input when it is of the usual shape', () => {
    const bytes = Buffer.from(rawMessage())
    expect(decoder.decode(bytes, 0, bytes.length, recordMs)).toBeUndefined()
    expect(decoder.symbolBytes).toBe(bytes)
    expect([decoder.symbolStart, decoder.symbolEnd]).toEqual([11, 15])
    expect(decode(decoder, unusual)).toEqual(usual)
    expect(decoder.symbolBytes.length).toBe(32)
  })

  it('leaves nothing of the message before', () => {
    expect(decode(decoder, rawMessage({ close: '1e12', open: '7', high: '8', low: '9' }))).toMatchObject({
      open: 7n * 10n ** 8n,
    })
    expect(decode(decoder, rawMessage({ open: null, high: null, low: null, close: '3' }))).toMatchObject({
      open: 3n * 10n ** 8n,
    })
    expect(decoder.isWide).toBe(false)
  })
})

describe('how far ahead a timestamp may be', () => {
  const at = (timestamp: string) => rawMessage({ timestamp })

  it('is told by the record, to the microsecond', () => {
    for (const form of [(t: string) => at(`"${t}"`), (t: string) => at(`"\\u0032${t.slice(1)}"`)]) {
      expect(reasonOf(form('2026-02-14T14:35:05.250Z'))).toBeUndefined()
      expect(reasonOf(form('2026-02-14T14:35:05.2509Z'))).toBe('future_timestamp')
      expect(reasonOf(form('2026-02-14T14:35:05.250001Z'))).toBe('future_timestamp')
      expect(reasonOf(form('2026-02-14T14:35:05.2500009Z'))).toBeUndefined()
      expect(reasonOf(form('2026-02-14T14:35:05.250001Z'), recordMs + 1)).toBeUndefined()
    }
    expect(reasonOf(at('1771079705250'))).toBeUndefined()
    expect(reasonOf(at('1771079705251'))).toBe('future_timestamp')
  })

  it('is a setting', () => {
    const strict = new MessageDecoder({ maxFutureSeconds: 0, decimals: 8 })
    expect(decode(strict, at('1771079405250'))).toEqual(usual)
    expect(decode(strict, at('1771079405251'))).toEqual({ reason: 'future_timestamp' })
  })

  it('rejects no message for being late', () => {
    expect(decode(decoder, at('0'))).toEqual({ ...usual, timestampUs: 0 })
  })

  it('ends at 2^53 µs, whatever the record says', () => {
    const endMs = 2 ** 53 / 1000
    expect(decode(decoder, at('"2255-06-05T23:47:34.740991Z"'), endMs)).toEqual({ ...usual, timestampUs: 2 ** 53 - 1 })
    expect(reasonOf(at('"2255-06-05T23:47:34.740992Z"'), endMs)).toBe('future_timestamp')
    expect(reasonOf(at('9007199254741'), endMs)).toBe('future_timestamp')
    expect(reasonOf(at('99999999999999999'), Number.MAX_SAFE_INTEGER)).toBe('future_timestamp')
  })
})

describe('a rejected message', () => {
  it.each<[RejectReason, string, string | Uint8Array | null]>([
    ['empty', 'no value', null],
    ['empty', 'no value', ''],
    ['too_large', '65537 bytes, more than 65536', 'x'.repeat(65_537)],
    ['not_json', 'byte 0: a value is missing', 'x'],
    ['not_object', 'a JSON array, not an object', '[1,2,3]'],
    ['not_object', 'a JSON null, not an object', 'null'],
    ['not_object', 'a JSON string, not an object', '"AAPL"'],
    ['not_object', 'a JSON number, not an object', ' -1.5e3 '],
    ['not_object', 'a JSON true, not an object', 'true'],
    ['missing_field', 'without symbol, timestamp, close, volume', '{}'],
    ['missing_field', 'without symbol', rawMessage({ symbol: null })],
    ['missing_field', 'without timestamp', rawMessage({ timestamp: null })],
    ['missing_field', 'without close', rawMessage({ close: null })],
    ['missing_field', 'without volume', rawMessage({ volume: null })],
    [
      'future_timestamp',
      "message time 2026-02-14T14:35:05.251Z, record time 2026-02-14T14:30:05.250Z: the feed's clock is ahead, or Kafka's is behind",
      rawMessage({ timestamp: '1771079705251' }),
    ],
  ])('is %s: %s', (reason, detail, value) => {
    expect(reasonOf(value)).toBe(reason)
    expect(decoder.detail).toBe(detail)
  })

  it.each(['""', '"A B"', '" "', '"A\\u0000B"', '"Ä"', '"\\u00c4"', '"A\\u007f"', '"\\ud800"', `"${'A'.repeat(33)}"`])(
    'is bad_symbol: %s',
    (symbol) => {
      expect(reasonOf(rawMessage({ symbol }))).toBe('bad_symbol')
    },
  )

  it.each(['42', 'null', 'true', '["AAPL"]', '{"AAPL":1}'])('is bad_symbol, not a string: %s', (symbol) => {
    expect(reasonOf(rawMessage({ symbol }))).toBe('bad_symbol')
  })

  it.each([
    'null',
    'true',
    '[]',
    '{}',
    '""',
    '"yesterday"',
    '"1771079405250"',
    '"2026-02-14"',
    '"2026-02-30T14:30:00Z"',
  ])('is bad_timestamp: %s', (timestamp) => {
    expect(reasonOf(rawMessage({ timestamp }))).toBe('bad_timestamp')
  })

  it.each(['-5', '-0', '1771079405.25', '1771079405250.0', '1.771e12', '1771079405250e0', '100000000000000000'])(
    'is bad_timestamp, not milliseconds: %s',
    (timestamp) => {
      expect(reasonOf(rawMessage({ timestamp }))).toBe('bad_timestamp')
    },
  )

  it.each(['null', 'true', '"1.5"', '[]', '{}', '1e15', '-1e15', '1e400', '9.007e15', '999999999999999.999999995'])(
    'is bad_number: %s, in any of the five',
    (text) => {
      for (const name of ['open', 'high', 'low', 'close', 'volume']) {
        expect(reasonOf(rawMessage({ [name]: text }))).toBe('bad_number')
        expect(decoder.detail).toContain(`${name} ${text}`)
      }
    },
  )

  it.each(['-1', '-0.5', '-1e-8', '-0.000000006', '-999999999999999'])('is negative_volume: %s', (volume) => {
    expect(reasonOf(rawMessage({ volume }))).toBe('negative_volume')
  })

  it('is told with the value that was wrong, in one line, and cut when it is long', () => {
    reasonOf(rawMessage({ close: '[1,\n2]' }))
    expect(decoder.detail).toBe('close [1,?2]: not a number')
    reasonOf(rawMessage({ symbol: `"${'é'.repeat(40)}"` }))
    expect(decoder.detail).toMatch(/^symbol "\?{79}\.\.\.: not a string of 1 to 32 /)
  })

  it('is told in at most 200 characters that any database takes', () => {
    const members = ['symbol', 'timestamp', 'open', 'high', 'low', 'close', 'volume']
    for (const text of [
      `"${'é'.repeat(500)}"`,
      `"\\u0000${'x'.repeat(70)}"`,
      `[${'1,'.repeat(500)}1]`,
      `-${'9'.repeat(500)}`,
    ]) {
      for (const name of members) {
        expect(reasonOf(rawMessage({ [name]: text }))).toBeDefined()
        expect(decoder.detail).toMatch(/^[ -~]{1,200}$/)
      }
    }
  })
})

describe('the checks', () => {
  /** Each fault as a change of the members, or of the whole text. */
  const faults: { reason: RejectReason; members?: Record<string, string | null>; change?: (text: string) => string }[] =
    [
      { reason: 'too_large', members: { note: `"${'x'.repeat(65_536)}"` } },
      { reason: 'not_json', change: (text) => `${text}}` },
      { reason: 'not_object', change: (text) => `[${text}]` },
      { reason: 'missing_field', members: { close: null } },
      { reason: 'bad_symbol', members: { symbol: '7' } },
      { reason: 'bad_timestamp', members: { timestamp: '"yesterday"' } },
      { reason: 'bad_number', members: { high: 'null' } },
      { reason: 'negative_volume', members: { volume: '-1' } },
      { reason: 'future_timestamp', members: { timestamp: '"2999-01-01T00:00:00Z"' } },
    ]

  it('have a reason each', () => {
    expect(['empty', ...faults.map(({ reason }) => reason)]).toEqual(rejectReasons)
  })

  it('run in order: of two faults the first is the reason', () => {
    for (const [i, first] of faults.entries()) {
      for (const later of faults.slice(i)) {
        let text = rawMessage({ ...later.members, ...first.members })
        if (later.change && later !== first) text = later.change(text)
        if (first.change) text = first.change(text)
        expect([later.reason, reasonOf(text)]).toEqual([later.reason, first.reason])
      }
    }
  })

  it('look at all numbers before the sign of the volume', () => {
    expect(reasonOf(rawMessage({ open: 'true', volume: '-1' }))).toBe('bad_number')
    expect(reasonOf(rawMessage({ low: '1e15', volume: '-1' }))).toBe('bad_number')
  })
})

it('reads a message to its last byte, wherever its buffer ends', () => {
  const text = rawMessage({ note: '1' })
  for (let length = 1; length < text.length; length++) {
    expect(decodeAlone(decoder, text.slice(0, length))).toEqual({ reason: 'not_json' })
    // A brace at the end leads the scan in.
    expect(decodeAlone(decoder, `${text.slice(0, length)}}`)).toEqual(decode(decoder, `${text.slice(0, length)}}`))
  }
  expect(decodeAlone(decoder, text)).toEqual(usual)
})

function code(text: string): string {
  return text.charCodeAt(0).toString(16).padStart(4, '0')
}
