import { describe, expect, it } from 'vitest'
import { type SimulateOptions, SimulateSource } from '../../../../src/feed/simulate/simulate-source.ts'
import { MessageDecoder } from '../../../../src/kpi/decode/message.ts'
import { SimulatedClock } from '../../../simulated-clock.ts'
import { priceOf, type TakenMessage, takeAll } from '../taken.ts'

const usual: SimulateOptions = {
  names: ['AAPL', 'MSFT', 'NVDA'],
  seed: 'seed',
  ratePerSecond: 1000,
  count: 20_000,
  disorder: 0,
  disorderSeconds: 60,
  duplicates: 0,
  bad: 0,
  pauseEverySeconds: Number.POSITIVE_INFINITY,
  pauseForSeconds: 60,
}

async function simulate(
  options: Partial<SimulateOptions>,
  clock = new SimulatedClock({ isEager: true }),
): Promise<TakenMessage[]> {
  return takeAll(new SimulateSource({ ...usual, ...options }, clock))
}

function timesOf(messages: readonly TakenMessage[]): number[] {
  return messages.map((message) => Date.parse(priceOf(message).timestamp))
}

function shareOf(messages: readonly TakenMessage[], isSo: (message: TakenMessage, index: number) => boolean): number {
  return messages.filter(isSo).length / messages.length
}

describe('a simulated feed', () => {
  it('is the same, byte for byte, for a seed and a clock', async () => {
    const faulty = { disorder: 0.1, duplicates: 0.1, bad: 0.1, count: 5000 }
    const first = await simulate(faulty)
    expect(await simulate(faulty)).toEqual(first)
    expect(await simulate({ ...faulty, seed: 'other' })).not.toEqual(first)
    expect(await simulate(faulty, new SimulatedClock({ isEager: true, wallMs: 0 }))).not.toEqual(first)
  })

  it('sends prices that all count, keyed by their symbol, of every symbol', async () => {
    const messages = await simulate({})
    const decoder = new MessageDecoder({ maxFutureSeconds: 0, decimals: 8 })
    for (const { key, value } of messages) {
      const bytes = Buffer.from(value)
      expect(decoder.decode(bytes, 0, bytes.length, Date.UTC(2026, 1, 17))).toBeUndefined()
      expect(key).toBe(priceOf({ key, value, headers: {} }).symbol)
    }
    expect(new Set(messages.map(({ key }) => key))).toEqual(new Set(usual.names))
  })

  it('ends after so many messages', async () => {
    expect(await simulate({ count: 12_345 })).toHaveLength(12_345)
  })

  it.each([0.1, 1, 1000, 500_000])('keeps its rate: %d a second', async (ratePerSecond) => {
    const clock = new SimulatedClock({ isEager: true })
    const start = clock.wallMs()
    const count = Math.min(50_000, Math.max(4, ratePerSecond))
    const times = timesOf(await simulate({ ratePerSecond, count }, clock))
    expect(clock.wallMs() - start).toBeGreaterThanOrEqual(((count - 1) * 1000) / ratePerSecond - 1)
    expect(clock.wallMs() - start).toBeLessThan((count * 1000) / ratePerSecond + 20)
    expect(times[0]).toBe(start)
    expect(times.at(-1)).toBe(Math.floor(start + ((count - 1) * 1000) / ratePerSecond))
  })

  it('sends its times in order, unless told otherwise', async () => {
    const times = timesOf(await simulate({}))
    expect(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0))).toBe(true)
  })

  it('sends a share of its messages late, by no more than told', async () => {
    const times = timesOf(await simulate({ disorder: 0.2, disorderSeconds: 30 }))
    let latest = 0
    const lateBy = times.map((time) => {
      latest = Math.max(latest, time)
      return latest - time
    })
    expect(lateBy.filter((ms) => ms > 0).length / times.length).toBeCloseTo(0.2, 1)
    expect(Math.max(...lateBy)).toBeLessThanOrEqual(30_000)
    expect(Math.max(...lateBy)).toBeGreaterThan(25_000)
  })

  it('repeats a share of its messages, byte for byte', async () => {
    const messages = await simulate({ duplicates: 0.1 })
    const share = shareOf(messages, ({ value }, i) => value === messages[i - 1]?.value)
    expect(share).toBeGreaterThan(0.09)
    expect(share).toBeLessThan(0.11)
  })

  it('sends a share of bad messages, of every kind', async () => {
    const clock = new SimulatedClock({ isEager: true })
    const messages = await simulate({ bad: 0.1 }, clock)
    const decoder = new MessageDecoder({ maxFutureSeconds: 300, decimals: 8 })
    const reasons = messages.map(({ value }) => {
      const bytes = Buffer.from(value)
      return decoder.decode(bytes, bytes.length === 0 ? -1 : 0, bytes.length, clock.wallMs())
    })
    const rejected = reasons.filter((reason) => reason !== undefined)
    expect(rejected.length / messages.length).toBeCloseTo(0.1, 1)
    expect(new Set(rejected).size).toBe(10)
  })

  it('falls silent for its pauses', async () => {
    const times = timesOf(await simulate({ pauseEverySeconds: 2, pauseForSeconds: 5, count: 6000 }))
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(gaps.filter((gap) => gap > 100)).toHaveLength(2)
    expect(Math.max(...gaps)).toBeGreaterThanOrEqual(5000)
  })

  it('ends its waiting when it is told to stop', async () => {
    const stop = new AbortController()
    const clock = new SimulatedClock({ isEager: true })
    const source = new SimulateSource({ ...usual, ratePerSecond: 0.1 }, clock)
    await source.next(stop.signal)
    stop.abort()
    expect(await source.next(stop.signal)).toBeUndefined()
    expect(clock.waits).toEqual([])
  })

  it('says what it sends', () => {
    const described = (options: Partial<SimulateOptions>) =>
      new SimulateSource({ ...usual, ...options }, new SimulatedClock({ isEager: true })).description
    expect(described({})).toBe('simulated prices of AAPL, MSFT, NVDA: 1000 messages/s, 20000 in all, seed seed')
    const names = Array.from({ length: 50 }, (_, i) => `S${i}`)
    expect(described({ names, ratePerSecond: Number.POSITIVE_INFINITY, count: Number.POSITIVE_INFINITY })).toBe(
      'simulated prices of S0, S1, S2, S3, … (50 symbols): as many messages as it can, seed seed',
    )
  })
})
