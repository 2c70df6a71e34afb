import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageDecoder } from '../../../src/kpi/decode/message.ts'
import { mergePartials, type PartialRow, partialOf } from '../../../src/kpi/partial.ts'
import { Reducer } from '../../../src/kpi/reducer.ts'
import { propertyRuns } from './property-runs.ts'

const windowSeconds = 300
const windowUs = windowSeconds * 1e6
const allowedLatenessSeconds = 120

/** Numbers scaled by 10^decimals. */
interface Message {
  readonly symbol: string
  readonly timestampUs: number
  readonly open: bigint
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
  readonly volume: bigint
  readonly partition: number
}

/** On both sides of where limbs end, with as many digits as the fast path has and with more. */
function priceOf(decimals: number): fc.Arbitrary<bigint> {
  const raise = 10n ** BigInt(decimals - 8)
  const most = 10n ** BigInt(15 + decimals) - 1n
  const flat = fc.oneof(
    fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
    fc.constantFrom(0n, 1n, -1n, 2n ** 52n - 1n, 2n ** 52n, -(2n ** 52n), 1n - 2n ** 52n),
  )
  return fc.oneof(
    { weight: 4, arbitrary: flat.map((x) => x * raise) },
    fc.bigInt({ min: -most, max: most }),
    fc.bigInt({ min: -1000n, max: 1000n }),
  )
}

function messageOf(decimals: number): fc.Arbitrary<Message> {
  const price = priceOf(decimals)
  return fc.record({
    symbol: fc.constantFrom('AAPL', 'MSFT', 'X', 'BRK.B', 'A-symbol-of-thirty-two-characters'.slice(0, 32)),
    // Few instants, so that many messages share one, at the edges of windows and of lateness.
    timestampUs: fc
      .tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom(0, 1, windowUs - 1, 120e6, 120e6 + 1, 7))
      .map(([window, us]) => 1_771_079_400_000_000 + window * windowUs + us),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: price.map((x) => (x < 0n ? -x : x)),
    partition: fc.integer({ min: 0, max: 2 }),
  })
}

const message = messageOf(8)
const decoders = Array.from({ length: 11 }, (_, i) => new MessageDecoder({ maxFutureSeconds: 4e9, decimals: 8 + i }))

function decimal(scaled: bigint, decimals: number): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, '0')
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

function decode(m: Message, decimals = 8): MessageDecoder {
  const decoder = decoders[decimals - 8] as MessageDecoder
  const time = `${new Date(Math.floor(m.timestampUs / 1000)).toISOString().slice(0, 19)}.${String(m.timestampUs % 1e6).padStart(6, '0')}Z`
  const numbers = (['open', 'high', 'low', 'close', 'volume'] as const).map(
    (name) => `"${name}":${decimal(m[name], decimals)}`,
  )
  const bytes = Buffer.from(`{"symbol":"${m.symbol}","timestamp":"${time}",${numbers.join(',')}}`)
  expect(decoder.decode(bytes, 0, bytes.length, 0)).toBeUndefined()
  return decoder
}

/** The plain way: each message a partial of its own, merged one by one. Offsets are places in the list. */
function model(messages: readonly Message[]): Map<string, PartialRow> {
  const rows = new Map<string, PartialRow>()
  const watermarks = new Map<number, number>()
  messages.forEach((m, offset) => {
    const windowStartUs = Math.floor(m.timestampUs / windowUs) * windowUs
    const watermark = watermarks.get(m.partition) ?? -1
    const isLate = watermark > windowStartUs + windowUs + allowedLatenessSeconds * 1e6
    watermarks.set(m.partition, Math.max(watermark, m.timestampUs))
    const row = partialOf(m, { windowStartUs, partition: m.partition, offset, isLate })
    const key = `${m.symbol} ${windowStartUs}`
    const known = rows.get(key)
    rows.set(key, known ? mergePartials(known, row) : row)
  })
  return rows
}

function keyed(rows: readonly PartialRow[]): Map<string, PartialRow> {
  const result = new Map<string, PartialRow>()
  for (const row of rows) {
    const key = `${row.symbol} ${row.windowStartUs}`
    expect(result.has(key), `${key} once a batch`).toBe(false)
    result.set(key, row)
  }
  return result
}

function mergeInto(rows: Map<string, PartialRow>, more: Map<string, PartialRow>): void {
  for (const [key, row] of more) {
    const known = rows.get(key)
    rows.set(key, known ? mergePartials(known, row) : row)
  }
}

describe('Reducer', () => {
  it('comes to what the messages come to one by one, wherever the batch is split', () => {
    const messages = fc.oneof(fc.constant(8), fc.integer({ min: 8, max: 18 })).chain((decimals) =>
      fc.record({
        decimals: fc.constant(decimals),
        list: fc.array(messageOf(decimals), { minLength: 1, maxLength: 60 }),
      }),
    )
    fc.assert(
      fc.property(messages, fc.array(fc.nat(60), { maxLength: 4 }), ({ decimals, list }, cuts) => {
        const reducer = new Reducer({ windowSeconds, allowedLatenessSeconds, decimals })
        const watermarks = new Map<number, number>()
        const rows = new Map<string, PartialRow>()
        list.forEach((m, offset) => {
          if (cuts.includes(offset)) mergeInto(rows, keyed(reducer.take()))
          const decoded = decode(m, decimals)
          reducer.add(decoded, m.partition, offset, watermarks.get(m.partition) ?? -1)
          watermarks.set(m.partition, Math.max(watermarks.get(m.partition) ?? -1, decoded.timestampUs))
        })
        mergeInto(rows, keyed(reducer.take()))
        expect(rows).toEqual(model(list))
        expect(reducer.rowCount).toBe(0)
        expect(reducer.take()).toEqual([])
      }),
      propertyRuns,
    )
  })

  it('counts the rows that it would hand over', () => {
    const reducer = new Reducer({ windowSeconds, allowedLatenessSeconds, decimals: 8 })
    const base: Message = {
      symbol: 'A',
      timestampUs: 0,
      open: 1n,
      high: 1n,
      low: 1n,
      close: 1n,
      volume: 1n,
      partition: 0,
    }
    for (let i = 0; i < 5000; i++) {
      reducer.add(decode({ ...base, symbol: `S${i % 700}`, timestampUs: (i % 3) * windowUs }), 0, i, -1)
    }
    expect(reducer.rowCount).toBe(2100)
    expect(keyed(reducer.take()).size).toBe(2100)
  })

  it('keeps symbols apart that come through a buffer which is used again', () => {
    const reducer = new Reducer({ windowSeconds, allowedLatenessSeconds, decimals: 8 })
    // Escapes send a message to the full parser, which has one buffer for all symbols.
    const decoder = decoders[0] as MessageDecoder
    const symbols = ['\\u0041', 'B', '\\u0043', '\\u0041', 'A', '\\u0042', 'C']
    symbols.forEach((symbol, offset) => {
      const bytes = Buffer.from(`{"symbol":"${symbol}","timestamp":0,"close":1,"volume":1}`)
      expect(decoder.decode(bytes, 0, bytes.length, 0)).toBeUndefined()
      reducer.add(decoder, 0, offset, -1)
      bytes.fill(0)
    })
    const counts = reducer.take().map(({ symbol, n }) => `${symbol}: ${n}`)
    expect(counts).toEqual(['A: 3', 'B: 2', 'C: 2'])
  })

  it('forgets what is discarded', () => {
    const reducer = new Reducer({ windowSeconds, allowedLatenessSeconds, decimals: 8 })
    const big = 10n ** 20n
    for (const close of [5n, big]) {
      const m = { symbol: 'A', timestampUs: 0, open: close, high: close, low: close, close, volume: 1n, partition: 0 }
      reducer.add(decode(m), 0, 0, -1)
    }
    reducer.discard()
    expect(reducer.take()).toEqual([])
  })
})

describe('mergePartials', () => {
  const partial = fc.tuple(message, fc.nat(50), fc.boolean()).map(([m, offset, isLate]) =>
    // Of one symbol and window, as the laws are about these.
    partialOf(
      { ...m, symbol: 'A' },
      {
        windowStartUs: 0,
        partition: m.partition,
        offset,
        isLate,
      },
    ),
  )
  /** No two messages share a place in a log; where the generator made one twice, the order between them is undefined. */
  const distinct = fc.uniqueArray(partial, {
    minLength: 3,
    maxLength: 8,
    selector: ({ first }) => `${first.timestampUs} ${first.partition} ${first.offset}`,
  })

  it('is associative and commutative, and free of order', () => {
    fc.assert(
      fc.property(distinct, fc.infiniteStream(fc.nat()), (rows, choices) => {
        const [a, b, c] = rows as [PartialRow, PartialRow, PartialRow]
        expect(mergePartials(a, b)).toEqual(mergePartials(b, a))
        expect(mergePartials(mergePartials(a, b), c)).toEqual(mergePartials(a, mergePartials(b, c)))
        const forwards = rows.reduce(mergePartials)
        const pool = [...rows]
        while (pool.length > 1) {
          // Any two, in any nesting.
          const [x] = pool.splice((choices.next().value ?? 0) % pool.length, 1)
          const [y] = pool.splice((choices.next().value ?? 0) % pool.length, 1)
          if (x && y) pool.push(mergePartials(x, y))
        }
        expect(pool[0]).toEqual(forwards)
      }),
      propertyRuns,
    )
  })
})
