import { expect, it } from 'vitest'
import { UnusualSource } from '../../../../src/bench/throughput/unusual-source.ts'
import { orderlyMarket } from '../../../../src/bench/throughput/workload.ts'
import { SimulateSource } from '../../../../src/feed/simulate/simulate-source.ts'
import type { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'
import { FlatScan } from '../../../../src/kpi/decode/flat-scan.ts'
import { decodePlainly } from '../../../../src/verify/plain-decoder.ts'
import { SimulatedClock } from '../../../simulated-clock.ts'

const count = 400

function market(): SimulateSource {
  const clock = new SimulatedClock({ isEager: true })
  return new SimulateSource(orderlyMarket({ symbols: 5, ratePerSecond: Number.POSITIVE_INFINITY, count }), clock)
}

async function valuesOf(source: { next(signal: AbortSignal): Promise<MessageBatch | undefined> }): Promise<Buffer[]> {
  const values: Buffer[] = []
  for (;;) {
    const batch = await source.next(new AbortController().signal)
    if (batch === undefined) return values
    for (let i = 0; i < batch.count; i++) {
      values.push(Buffer.from(batch.bytes.subarray(batch.valueStart(i), batch.valueEnd(i))))
    }
  }
}

const decimals = 8

/** Whether the fast path takes it. */
function isFlat(value: Buffer): boolean {
  const numbers = { timestampUs: 0, open: 0, high: 0, low: 0, close: 0, volume: 0 }
  return new FlatScan({ symbolStart: 0, symbolEnd: 0, ...numbers }, decimals).scan(value, 0, value.length)
}

it('every message says the same as before, and so many of them only to the full parser', async () => {
  const usual = await valuesOf(market())
  const unusual = await valuesOf(new UnusualSource(market(), 25))
  expect(unusual).toHaveLength(count)
  const decoded = (values: readonly Buffer[]) =>
    values.map((value) => decodePlainly(value, Number.POSITIVE_INFINITY, decimals))
  expect(decoded(usual).every((message) => typeof message === 'object')).toBe(true)
  expect(decoded(unusual)).toEqual(decoded(usual))
  expect(usual.every(isFlat)).toBe(true)
  expect(unusual.filter((value) => !isFlat(value))).toHaveLength(count / 4)
})

it('each way of being unusual is one that the fast path declines', async () => {
  const all = await valuesOf(new UnusualSource(market(), 100))
  expect(all.filter(isFlat)).toEqual([])
  const has = (pattern: RegExp) => all.filter((value) => pattern.test(value.toString())).length
  expect([has(/\\u00/), has(/"close".*"close"/), has(/\[/), has(/e0\}/)]).toEqual(Array(4).fill(count / 4))
})
