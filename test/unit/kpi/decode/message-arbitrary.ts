import fc from 'fast-check'

const digits = (length: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), ...length })

const wholeDigits = fc.oneof(
  { weight: 16, arbitrary: fc.nat({ max: 100_000 }).map(String) },
  fc.constantFrom('0', '45035996', '45035997', '90071992', '999999999999999', '1000000000000000'),
  digits({ minLength: 0, maxLength: 24 }).map((rest) => `7${rest}`),
)
const fractionDigits = fc.oneof(
  { weight: 6, arbitrary: digits({ minLength: 1, maxLength: 3 }) },
  digits({ minLength: 8, maxLength: 17 }),
  // Of tokens worth next to nothing, and with zeros that mean nothing.
  { weight: 2, arbitrary: digits({ minLength: 1, maxLength: 14 }).map((d) => `000000${d}`) },
  digits({ minLength: 1, maxLength: 8 }).map((d) => d.padEnd(14, '0')),
  // Where half-even decides.
  fc
    .tuple(digits({ minLength: 8, maxLength: 8 }), fc.constantFrom('5', '50', '500001', '49', '51'))
    .map((d) => d.join('')),
)
const exponent = fc
  .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.oneof(fc.nat({ max: 30 }), fc.nat()))
  .map((parts) => parts.join(''))

/** The text of a JSON number of any form, most often one of a price. */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(wholeDigits, fractionDigits).map((parts) => parts.join('.')) },
  { weight: 6, arbitrary: wholeDigits },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', '-'), wholeDigits, fc.option(fractionDigits, { nil: '' }), exponent)
      .map(([sign, whole, fraction, power]) => `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}${power}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '-0',
      '-1.5',
      '1e-8',
      '5e-9',
      '-1e-9',
      '45035996.27370495',
      '45035996.27370496',
      '1e400',
    ),
  },
)

const two = (max: number) => fc.nat({ max }).map((n) => String(n).padStart(2, '0'))
const date = fc.oneof(
  { weight: 16, arbitrary: fc.constant('2026-02-14') },
  fc
    .tuple(fc.constantFrom('1970', '2000', '2024', '2026', '1969', '2100', '2255', '0000', '9999'), two(13), two(32))
    .map((parts) => parts.join('-')),
)
const time = fc.oneof(
  { weight: 16, arbitrary: two(59).map((second) => `14:30:${second}`) },
  fc.tuple(two(24), two(60), two(60)).map((parts) => parts.join(':')),
)
const secondFraction = fc.oneof(
  { weight: 4, arbitrary: digits({ minLength: 3, maxLength: 3 }).map((d) => `.${d}`) },
  digits({ minLength: 0, maxLength: 12 }).map((d) => (d === '' ? '' : `.${d}`)),
)
const zone = fc.oneof(
  { weight: 16, arbitrary: fc.constant('Z') },
  fc.constantFrom(
    'z',
    '',
    '+00:00',
    '-00:00',
    '+0530',
    '-05:00',
    '+23:59',
    '-2359',
    '+24:00',
    '+05:60',
    '+5:30',
    '+05',
  ),
)

const separator = fc.oneof({ weight: 16, arbitrary: fc.constant('T') }, fc.constantFrom('t', ' ', '_'))

/** The JSON text of a timestamp, most often a good one. */
const timestampText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.tuple(date, separator, time, secondFraction, zone).map((parts) => JSON.stringify(parts.join(''))),
  },
  fc.constantFrom('1771079405250', '1771079705250', '1771079705251', '0', '-0', '9007199254740', '9007199254741'),
  fc.nat().map(String),
  fc.constantFrom(
    '1771079405250.0',
    '1.7e12',
    '-5',
    'null',
    '""',
    '"yesterday"',
    '"2026-02-14T14:30Z"',
    '123456789012345678',
  ),
)

const symbolText = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.constantFrom('AAPL', 'BRK.B', 'BTC/USDT', 'EURUSD=X', '^GSPC').map((s) => JSON.stringify(s)),
  },
  fc.string({ unit: 'grapheme-ascii', maxLength: 34 }).map((s) => JSON.stringify(s)),
  fc.constantFrom('"A\\u0041"', '"BTC\\/USDT"', '"\\u00c4"', '"\\ud800"', '7', 'null', '["AAPL"]'),
)

const otherText = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 10 }).map((s) => JSON.stringify(s)),
  numberText,
  fc.constantFrom('"\\ud83d"', '"close\\":7"', '{"close":3}', '01', '1.', 'tru', '"\\x"', '[1,]'),
  fc.integer({ min: 60, max: 66 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
)
const otherName = fc.oneof(
  fc.constantFrom('note', 'n', '', 'Close', 'close ', 'tim', 'timestamps', 'symbo', 'lo', 'lows', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 5 }),
)

const fields = ['symbol', 'timestamp', 'open', 'high', 'low', 'close', 'volume'] as const

function textOf(field: (typeof fields)[number]): fc.Arbitrary<string> {
  if (field === 'symbol') return symbolText
  return field === 'timestamp' ? timestampText : numberText
}

/** A name in quotes, seldom with an escape. */
function nameText(name: string): fc.Arbitrary<string> {
  const plain = JSON.stringify(name)
  const escaped = fc.nat({ max: name.length - 1 }).map((at) => {
    const code = name.charCodeAt(at).toString(16).padStart(4, '0')
    return `"${name.slice(0, at)}\\u${code}${name.slice(at + 1)}"`
  })
  return fc.oneof({ weight: 40, arbitrary: fc.constant(plain) }, escaped)
}

const space = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, fc.constantFrom(' ', '  ', '\n\t', '\r\n'))

function member(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(space, name, space, space, value, space).map(([a, n, b, c, v, d]) => `${a}${n}${b}:${c}${v}${d}`)
}

const known = fields.map((field) => member(nameText(field), textOf(field)))
const isThere = fc.oneof({ weight: 40, arbitrary: fc.constant(true) }, fc.constant(false))

/** Messages of every form: fields in any order, seldom absent or repeated, others among them; most are valid. */
export const messageText: fc.Arbitrary<string> = fc
  .tuple(
    fc.tuple(...known.map((arbitrary) => fc.tuple(isThere, arbitrary))),
    fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      fc.array(
        fc.oneof(
          member(
            otherName.map((s) => JSON.stringify(s)),
            otherText,
          ),
          ...known,
        ),
        { maxLength: 2 },
      ),
    ),
    fc.boolean(),
    fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
  )
  .map(([some, others, isShuffled, ranks]) => {
    const members = [...some.filter(([isThere]) => isThere).map(([, text]) => text), ...others]
    if (!isShuffled) return `{${members.join(',')}}`
    const ranked = members.map((text, i) => ({ text, rank: ranks[i] ?? 0 }))
    return `{${ranked
      .sort((a, b) => a.rank - b.rank)
      .map(({ text }) => text)
      .join(',')}}`
  })

/** One change of some bytes: a bit turned, a byte put in or taken out, a stretch doubled or cut off. */
const mutation = fc.record({
  at: fc.nat({ max: 1_000_000 }),
  kind: fc.constantFrom('flip', 'insert', 'delete', 'double', 'cut'),
  byte: fc.oneof(fc.constantFrom(...Buffer.from('{}[]:,"\\0123456789.-+eEuZ \n\0')), fc.integer({ min: 0, max: 255 })),
  length: fc.integer({ min: 1, max: 12 }),
})

/** Messages with a few bytes changed: seldom valid, and broken in every place. */
export const mutatedMessage: fc.Arbitrary<Uint8Array> = fc
  .tuple(messageText, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([text, mutations]) => {
    let bytes = [...Buffer.from(text)]
    for (const { at: anywhere, kind, byte, length } of mutations) {
      const at = anywhere % (bytes.length + 1)
      if (kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << (byte % 8))
      else if (kind === 'insert') bytes.splice(at, 0, byte)
      else if (kind === 'delete') bytes.splice(at, 1)
      else if (kind === 'double') bytes.splice(at, 0, ...bytes.slice(at, at + length))
      else bytes = bytes.slice(0, Math.max(0, bytes.length - length))
    }
    return Uint8Array.from(bytes)
  })
