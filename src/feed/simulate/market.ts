import { Random } from './random.ts'
import { startPriceOf } from './symbols.ts'

/**
 * Simulated prices that move like real ones.
 *
 * A symbol's log price is its start + beta · market + its own factor. Both factors are Ornstein-Uhlenbeck walks, so
 * prices stay near their start in an endless run, and their steps grow with the square root of the time between two
 * quotes. Volatility and volume follow the trading day: high at the open and the close, low at noon and outside the
 * session (the U-shape of Wood, McInish and Ord, 1985).
 */
export interface Quote {
  /** Prices in units of 10^-decimals. */
  open: number
  high: number
  low: number
  close: number
  volume: number
}

export interface Instrument {
  readonly name: string
  readonly decimals: number
  readonly random: Random
  readonly logStart: number
  readonly beta: number
  /** Standard deviation of its own factor per square root of a second. */
  readonly sigma: number
  readonly meanVolume: number
  own: number
  lastAtMs: number
  lastClose: number
}

/** Converts volatility per year to per second: a year has 252 trading days of 6.5 hours. */
const rootOfYearSeconds = Math.sqrt(252 * 6.5 * 3600)
const marketSigma = 0.14 / rootOfYearSeconds
/** Half of a deviation is gone after five trading days. */
const reversionPerMs = Math.LN2 / (5 * 6.5 * 3600 * 1000)
/** A step covers at most this much time, so after a night the market opens near its close. */
const longestStepMs = 60_000
const largestPrice = 2 ** 31 - 1

export class Market {
  readonly instruments: readonly Instrument[]
  readonly #random: Random
  #factor = 0
  #lastAtMs = Number.NaN
  #minute = Number.NaN
  #activity = 1

  constructor(options: { seed: string; names: readonly string[] }) {
    this.#random = new Random(`${options.seed}/market`)
    this.instruments = options.names.map((name) => createInstrument(options.seed, name))
  }

  /** Chooses which symbol trades next. The first symbols trade most; the n-th trades about n^(-1/3) as often. */
  pick(): Instrument {
    const u = this.#random.uniform()
    const instrument = this.instruments[Math.floor(this.instruments.length * u * Math.sqrt(u))]
    return instrument ?? this.#first()
  }

  /** Moves the market and one instrument to a time, and writes its quote. */
  quote(instrument: Instrument, atMs: number, into: Quote): void {
    this.#moveMarket(atMs)
    const { random, sigma, lastAtMs, lastClose } = instrument
    instrument.own = walk(instrument.own, sigma * this.#activity, atMs - lastAtMs, random)
    instrument.lastAtMs = Math.max(atMs, Number.isNaN(lastAtMs) ? atMs : lastAtMs)
    const price = Math.exp(instrument.logStart + instrument.beta * this.#factor + instrument.own)
    // A trade happens at the bid or at the ask, one tick apart.
    const close = inRange(Math.round(price) + (random.uniform() < 0.5 ? 0 : 1))
    const open = lastClose === 0 ? close : lastClose
    into.open = open
    into.close = close
    into.high = inRange(Math.max(open, close) + random.below(3))
    into.low = inRange(Math.min(open, close) - random.below(3))
    // Log-normal with a mean of one: most trades are small, a few are blocks.
    const size = Math.exp(0.9 * random.normal() - 0.405)
    into.volume = Math.max(1, Math.round(instrument.meanVolume * this.#activity * size))
    instrument.lastClose = close
  }

  #moveMarket(atMs: number): void {
    const minute = Math.floor(atMs / 60_000)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#activity = activityAt(atMs)
    }
    if (atMs === this.#lastAtMs) return
    this.#factor = walk(this.#factor, marketSigma * this.#activity, atMs - this.#lastAtMs, this.#random)
    this.#lastAtMs = atMs
  }

  #first(): Instrument {
    const [instrument] = this.instruments
    if (!instrument) throw new RangeError('a market needs an instrument')
    return instrument
  }
}

function walk(from: number, sigma: number, elapsedMs: number, random: Random): number {
  // elapsedMs is NaN at the first step.
  if (!(elapsedMs > 0)) return from
  const stepMs = Math.min(elapsedMs, longestStepMs)
  return from * (1 - reversionPerMs * stepMs) + sigma * Math.sqrt(stepMs / 1000) * random.normal()
}

function inRange(price: number): number {
  return Math.min(largestPrice, Math.max(1, price))
}

const openMinute = 14.5 * 60
const closeMinute = 21 * 60

/**
 * Activity relative to the day's mean. 14:30 to 21:00 UTC is New York's session in winter; daylight saving time is
 * ignored.
 */
export function activityAt(atMs: number): number {
  const minute = (atMs / 60_000) % 1440
  if (minute < openMinute || minute >= closeMinute) return 0.4
  const fromNoon = (2 * (minute - openMinute)) / (closeMinute - openMinute) - 1
  return 0.7 + 1.5 * fromNoon * fromNoon
}

function createInstrument(seed: string, name: string): Instrument {
  const random = new Random(`${seed}/symbol/${name}`)
  const start = startPriceOf(name, random.uniform())
  const decimals = start >= 10 ? 2 : start >= 0.1 ? 5 : 8
  return {
    name,
    decimals,
    random,
    logStart: Math.log(start * 10 ** decimals),
    beta: 0.6 + 0.9 * random.uniform(),
    sigma: (0.1 + 0.3 * random.uniform()) / rootOfYearSeconds,
    meanVolume: Math.round(20 * 50 ** random.uniform()),
    own: 0,
    lastAtMs: Number.NaN,
    lastClose: 0,
  }
}
