// Three opinions on one message: the decoder with its fast path, the full parser alone, and a plain reference.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlatScan } from '../../../src/kpi/flat-scan.ts'
import { FullParser } from '../../../src/kpi/full-parser.ts'
import { MessageDecoder } from '../../../src/kpi/message.ts'
import { type Decoded, decode, decodeAlone, recordMs } from './decoded.ts'
import { messageText, mutatedMessage } from './message-arbitrary.ts'
import { propertyRuns } from './property-runs.ts'
import { referenceDecode } from './reference-decoder.ts'

const maxFutureSeconds = 300
/** One for all runs, so that what it keeps of earlier messages is tried too. */
const decoder = new MessageDecoder({ maxFutureSeconds })

/** What the full parser says alone. */
function decodeFully(bytes: Uint8Array, referenceMs: number): Decoded {
  const parser = new FullParser()
  const latestUs = referenceMs * 1000 + maxFutureSeconds * 1e6
  const reason = parser.parse(Buffer.from(bytes), 0, bytes.length, latestUs)
  if (reason !== undefined) return { reason }
  const { timestampUs, open, high, low, close, volume } = parser
  const symbol = Buffer.from(parser.symbolBytes.subarray(0, parser.symbolLength)).toString('latin1')
  const [o, h, l, c, v] = [open, high, low, close, volume].map(BigInt)
  return { symbol, timestampUs, open: o, high: h, low: l, close: c, volume: v } as Decoded
}

/** What the fast path says alone; undefined where it declines. */
function scanFlat(bytes: Uint8Array): Decoded | undefined {
  const found = { symbolStart: 0, symbolEnd: 0, timestampUs: 0, open: 0, high: 0, low: 0, close: 0, volume: 0 }
  if (!new FlatScan(found).scan(Buffer.from(bytes), 0, bytes.length)) return undefined
  const { symbolStart, symbolEnd, timestampUs, ...numbers } = found
  const symbol = Buffer.from(bytes.subarray(symbolStart, symbolEnd)).toString('latin1')
  const scaled = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)]))
  return { symbol, timestampUs, ...scaled } as Decoded
}

function expectAgreement(bytes: Uint8Array, referenceMs: number): void {
  const expected = referenceDecode(bytes, referenceMs, maxFutureSeconds)
  expect(decode(decoder, bytes, referenceMs)).toEqual(expected)
  expect(decodeAlone(decoder, bytes, referenceMs)).toEqual(expected)
  if ('reason' in expected) expect(decoder.detail).toMatch(/^[ -~]{1,200}$/)
  if (bytes.length > 0) expect(decodeFully(bytes, referenceMs)).toEqual(expected)
  const flat = scanFlat(bytes)
  // How far ahead a timestamp may be is not the scan's business.
  if (flat !== undefined) expect(flat).toEqual(referenceDecode(bytes, 2 ** 53, 0))
}

const referenceMs = fc.constantFrom(recordMs, recordMs, recordMs, 0, -1, 2 ** 43)

describe('decoder, full parser and reference agree', () => {
  it('on messages of many forms', () => {
    const property = fc.property(messageText, referenceMs, (text, ms) => expectAgreement(Buffer.from(text), ms))
    fc.assert(property, propertyRuns)
  })

  it('on messages with a few bytes changed', () => {
    const property = fc.property(mutatedMessage, referenceMs, (bytes, ms) => expectAgreement(bytes, ms))
    fc.assert(property, propertyRuns)
  })

  it('on bytes of any kind', () => {
    const bytes = fc.uint8Array({ maxLength: 40 })
    const json = fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text))
    const property = fc.property(fc.oneof(bytes, json), (bytes) => expectAgreement(bytes, recordMs))
    fc.assert(property, propertyRuns)
  })

  it('on generated messages that are no mere dirt: many are accepted, many by the fast path', () => {
    const sample = fc.sample(messageText, { numRuns: 1000, seed: 1 }).map((text) => Buffer.from(text))
    const accepted = sample.filter((bytes) => !('reason' in referenceDecode(bytes, recordMs, maxFutureSeconds)))
    const taken = sample.filter((bytes) => scanFlat(bytes) !== undefined)
    expect(accepted.length).toBeGreaterThan(300)
    expect(taken.length).toBeGreaterThan(100)
    expect(taken.length).toBeLessThan(accepted.length)
  })
})
