import { describe, expect, it } from 'vitest'
import { activityAt, Market, type Quote } from '../../../../src/feed/simulate/market.ts'

/** A Monday in winter, before New York opens at 14:30 UTC. */
const monday = Date.UTC(2026, 1, 16)
const minuteMs = 60_000
const openMs = monday + 14.5 * 60 * minuteMs
const closeMs = monday + 21 * 60 * minuteMs

function emptyQuote(): Quote {
  return { open: 0, high: 0, low: 0, close: 0, volume: 0 }
}

/** One close a minute of each instrument, over so many days of trading. */
function minuteCloses(market: Market, days: number): number[][] {
  const quote = emptyQuote()
  const closes: number[][] = market.instruments.map(() => [])
  for (let day = 0; day < days; day++) {
    for (let atMs = openMs; atMs < closeMs; atMs += minuteMs) {
      market.instruments.forEach((instrument, i) => {
        market.quote(instrument, atMs + day * 86_400_000, quote)
        closes[i]?.push(quote.close)
      })
    }
  }
  return closes
}

function returns(prices: readonly number[]): number[] {
  return prices.slice(1).map((price, i) => Math.log(price / (prices[i] ?? price)))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values: readonly number[]): number {
  const centre = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)))
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)]
  return mean(a.map((value, i) => (value - ma) * ((b[i] ?? 0) - mb))) / (deviation(a) * deviation(b))
}

describe('a made-up market', () => {
  it('moves its prices together', () => {
    // Half an hour apart, so that the noise of single ticks does not count.
    const names = ['AAPL', 'MSFT', 'NVDA', 'AMZN']
    const closes = minuteCloses(new Market({ seed: 'together', names }), 60)
    const moves = closes.map((prices) => returns(prices.filter((_, i) => i % 30 === 0)))
    for (const [i, a] of moves.entries()) {
      for (const b of moves.slice(i + 1)) {
        const found = correlation(a, b)
        expect(found).toBeGreaterThan(0.1)
        expect(found).toBeLessThan(0.95)
      }
    }
  })

  it('moves most at the open and the close', () => {
    const [closes = []] = minuteCloses(new Market({ seed: 'day', names: ['BTC/USDT'] }), 40)
    const moves = returns(closes)
    const minutesADay = 390
    const between = (from: number, to: number) =>
      deviation(moves.filter((_, i) => i % minutesADay >= from && i % minutesADay < to))
    const noon = between(180, 210)
    expect(between(0, 30) / noon).toBeGreaterThan(1.8)
    expect(between(355, 385) / noon).toBeGreaterThan(1.8)
  })

  it('moves as much as a share does in a year', () => {
    const [closes = []] = minuteCloses(new Market({ seed: 'year', names: ['BTC/USDT'] }), 60)
    const yearly = deviation(returns(closes)) * Math.sqrt(252 * 390)
    expect(yearly).toBeGreaterThan(0.1)
    expect(yearly).toBeLessThan(0.8)
  })

  it('stays near its start for years, and above zero', () => {
    const market = new Market({ seed: 'years', names: ['AAPL', 'EURUSD=X'] })
    const quote = emptyQuote()
    const ranges = market.instruments.map(() => ({ low: Number.POSITIVE_INFINITY, high: 0 }))
    for (let atMs = openMs; atMs < openMs + 5 * 365 * 86_400_000; atMs += 600_000) {
      market.instruments.forEach((instrument, i) => {
        market.quote(instrument, atMs, quote)
        const range = ranges[i]
        if (!range) return
        range.low = Math.min(range.low, quote.close)
        range.high = Math.max(range.high, quote.close)
      })
    }
    for (const { low, high } of ranges) {
      expect(low).toBeGreaterThan(0)
      expect(high / low).toBeLessThan(4)
    }
  })

  it('has its own volume a symbol, higher at the open than at noon', () => {
    const market = new Market({ seed: 'volume', names: Array.from({ length: 20 }, (_, i) => `S${i}`) })
    const quote = emptyQuote()
    const meanVolume = (symbol: number, fromMs: number) => {
      const instrument = market.instruments[symbol]
      if (!instrument) return 0
      const volumes = Array.from({ length: 2000 }, (_, i) => {
        market.quote(instrument, fromMs + i * 100, quote)
        return quote.volume
      })
      return mean(volumes)
    }
    const symbols = market.instruments.map((_, i) => i)
    const atOpen = symbols.map((symbol) => meanVolume(symbol, openMs))
    const atNoon = symbols.map((symbol) => meanVolume(symbol, openMs + 195 * minuteMs))
    expect(mean(atOpen) / mean(atNoon)).toBeGreaterThan(2)
    expect(Math.max(...atNoon) / Math.min(...atNoon)).toBeGreaterThan(5)
  })

  it('quotes bars that hold together', () => {
    const market = new Market({ seed: 'bars', names: ['AAPL', 'X'] })
    const quote = emptyQuote()
    let lastClose = 0
    for (let i = 0; i < 10_000; i++) {
      const [instrument] = market.instruments
      if (!instrument) throw new Error('a market with an instrument')
      market.quote(instrument, openMs + i * 250, quote)
      const { open, high, low, close, volume } = quote
      if (high < Math.max(open, close) || low > Math.min(open, close) || low <= 0) expect.fail(JSON.stringify(quote))
      if (lastClose > 0) expect(open).toBe(lastClose)
      expect(volume).toBeGreaterThanOrEqual(1)
      lastClose = close
    }
  })

  it('trades the first names most', () => {
    const market = new Market({ seed: 'pick', names: Array.from({ length: 10 }, (_, i) => `S${i}`) })
    const counts = new Map<string, number>()
    for (let i = 0; i < 50_000; i++) {
      const { name } = market.pick()
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect(counts.size).toBe(10)
    const [first = 0, last = 0] = [counts.get('S0'), counts.get('S9')]
    expect(first / last).toBeGreaterThan(1.5)
  })
})

describe('the activity of a day', () => {
  it('is a U in the session, and low outside', () => {
    expect(activityAt(openMs)).toBeCloseTo(2.2)
    expect(activityAt(openMs + 195 * minuteMs)).toBeCloseTo(0.7)
    expect(activityAt(closeMs - 1)).toBeCloseTo(2.2)
    expect(activityAt(closeMs)).toBe(0.4)
    expect(activityAt(monday)).toBe(0.4)
  })
})
