import { describe, expect, it } from 'vitest'
import { Market, type Quote } from '../../../../src/feed/simulate/market.ts'
import { MessageWriter } from '../../../../src/feed/simulate/message-writer.ts'
import { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'

const timeMs = Date.UTC(2026, 1, 14, 14, 30, 5, 250)

function written(name: string, quote: Quote, atMs = timeMs): string {
  const batch = new MessageBatch({ maxMessages: 1, maxBytes: 1024 })
  const [instrument] = new Market({ seed: 's', names: [name] }).instruments
  if (!instrument) throw new Error('a market with an instrument')
  new MessageWriter().write(batch, instrument, atMs, quote)
  expect(batch.key(0).bytes.toString()).toBe(name)
  return batch.bytes.toString('utf8', batch.valueStart(0), batch.valueEnd(0))
}

describe('a quote as a message', () => {
  it('is our JSON, with the digits of its symbol', () => {
    expect(written('AAPL', { open: 22_840, high: 22_841, low: 22_805, close: 22_810, volume: 1200 })).toBe(
      '{"symbol":"AAPL","timestamp":"2026-02-14T14:30:05.250Z","open":228.40,"high":228.41,"low":228.05,"close":228.10,"volume":1200}',
    )
    const cheap = written('EURUSD=X', { open: 105_420, high: 105_421, low: 99_999, close: 5, volume: 1 })
    expect(cheap).toContain('"open":1.05420,"high":1.05421,"low":0.99999,"close":0.00005,"volume":1}')
  })

  it('has room for the largest numbers, and escapes what JSON wants escaped', () => {
    const largest = 2 ** 31 - 1
    const name = '"\\'.repeat(16)
    const quote = { open: largest, high: largest, low: largest, close: largest, volume: largest }
    const value = JSON.parse(written(name, quote)) as Record<string, unknown>
    expect(value.symbol).toBe(name)
    expect(value.volume).toBe(largest)
  })

  it('cuts a time to the millisecond', () => {
    const quote = { open: 1, high: 1, low: 1, close: 1, volume: 1 }
    expect(written('AAPL', quote, timeMs + 0.9)).toContain('"2026-02-14T14:30:05.250Z"')
  })
})
