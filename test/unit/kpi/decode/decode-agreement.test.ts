// Three opinions on one message: the decoder with its fast path, the full parser alone, and a plain reference.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlatScan } from '../../../../src/kpi/decode/flat-scan.ts'
import { FullParser } from '../../../../src/kpi/decode/full-parser.ts'
import { MessageDecoder } from '../../../../src/kpi/decode/message.ts'
import { propertyRuns } from '../property-runs.ts'
import { type Decoded, decode, decodeAlone, recordMs } from './decoded.ts'
import { messageText, mutatedMessage } from './message-arbitrary.ts'
import { referenceDecode } from './reference-decoder.ts'

const maxFutureSeconds = 300
/** One of each kind for all runs, so that what it keeps of earlier messages is tried too. */
const decoders = new Map(
  Array.from({ length: 11 }, (_, i) => [8 + i, new MessageDecoder({ maxFutureSeconds, decimals: 8 + i })]),
)
/** Half of the runs as by default. */
const decimals = fc.oneof(fc.constant(8), fc.integer({ min: 8, max: 18 }))

/** What the full parser says alone. */
function decodeFully(bytes: Uint8Array, referenceMs: number, decimals: number): Decoded {
  const parser = new FullParser(decimals)
  const latestUs = referenceMs * 1000 + maxFutureSeconds * 1e6
  const reason = parser.parse(Buffer.from(bytes), 0, bytes.length, latestUs)
  if (reason !== undefined) return { reason }
  const { timestampUs, open, high, low, close, volume } = parser
  const symbol = Buffer.from(parser.symbolBytes.subarray(0, parser.symbolLength)).toString('latin1')
  const raise = 10n ** BigInt(decimals - 8)
  const [o, h, l, c, v] = [open, high, low, close, volume].map((x) => (typeof x === 'bigint' ? x : BigInt(x) * raise))
  return { symbol, timestampUs, open: o, high: h, low: l, close: c, volume: v } as Decoded
}

/** What the fast path says alone; undefined where it declines. */
function scanFlat(bytes: Uint8Array, decimals: number): Decoded | undefined {
  const found = { symbolStart: 0, symbolEnd: 0, timestampUs: 0, open: 0, high: 0, low: 0, close: 0, volume: 0 }
  if (!new FlatScan(found, decimals).scan(Buffer.from(bytes), 0, bytes.length)) return undefined
  const { symbolStart, symbolEnd, timestampUs, ...numbers } = found
  const symbol = Buffer.from(bytes.subarray(symbolStart, symbolEnd)).toString('latin1')
  const raise = 10n ** BigInt(decimals - 8)
  const scaled = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value) * raise]))
  return { symbol, timestampUs, ...scaled } as Decoded
}

function expectAgreement(bytes: Uint8Array, referenceMs: number, decimals: number): void {
  const expected = referenceDecode(bytes, referenceMs, maxFutureSeconds, decimals)
  const decoder = decoders.get(decimals) as MessageDecoder
  expect(decode(decoder, bytes, referenceMs, decimals)).toEqual(expected)
  expect(decodeAlone(decoder, bytes, referenceMs, decimals)).toEqual(expected)
  if ('reason' in expected) expect(decoder.detail).toMatch(/^[ -~]{1,200}$/)
  if (bytes.length > 0) expect(decodeFully(bytes, referenceMs, decimals)).toEqual(expected)
  const flat = scanFlat(bytes, decimals)
  // How far ahead a timestamp may be is not the scan's business.
  if (flat !== undefined) expect(flat).toEqual(referenceDecode(bytes, 2 ** 53, 0, decimals))
}

const referenceMs = fc.constantFrom(recordMs, recordMs, recordMs, 0, -1, 2 ** 43)

describe('decoder, full parser and reference agree', () => {
  it('on messages of many forms', () => {
    const property = fc.property(messageText, referenceMs, decimals, (text, ms, d) =>
      expectAgreement(Buffer.from(text), ms, d),
    )
    fc.assert(property, propertyRuns)
  })

  it('on messages with a few bytes changed', () => {
    const property = fc.property(mutatedMessage, referenceMs, decimals, (bytes, ms, d) => expectAgreement(bytes, ms, d))
    fc.assert(property, propertyRuns)
  })

  it('on bytes of any kind', () => {
    const bytes = fc.uint8Array({ maxLength: 40 })
    const json = fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text))
    const property = fc.property(fc.oneof(bytes, json), (bytes) => expectAgreement(bytes, recordMs, 8))
    fc.assert(property, propertyRuns)
  })

  it.each([
    [8, 100],
    [12, 30],
  ])('on generated messages of which many are accepted, many by the fast path: %i decimals', (decimals, leastTaken) => {
    const sample = fc.sample(messageText, { numRuns: 1000, seed: 1 }).map((text) => Buffer.from(text))
    const isAccepted = (bytes: Buffer) => !('reason' in referenceDecode(bytes, recordMs, maxFutureSeconds, decimals))
    const accepted = sample.filter(isAccepted)
    const taken = sample.filter((bytes) => scanFlat(bytes, decimals) !== undefined)
    expect(accepted.length).toBeGreaterThan(300)
    expect(taken.length).toBeGreaterThan(leastTaken)
    expect(taken.length).toBeLessThan(accepted.length)
  })
})
