import { randomBytes } from 'node:crypto'
import { InvalidArgumentError, Option } from 'commander'
import { systemClock } from '../../runtime/clock.ts'
import type { FeedSource } from '../sources/feed-source.ts'

/** The values of the options of `feed simulate`. */
export interface SimulateFlags {
  readonly rate: number
  readonly seed?: string
  readonly count: number
  readonly disorder: number
  readonly disorderSeconds: number
  readonly duplicates: number
  readonly bad: number
  readonly pauseEvery: number
  readonly pauseFor: number
}

export const simulateFeed: FeedSource = {
  name: 'simulate',
  about: 'simulated, correlated prices of SYMBOLS, with the volatility and volume of a trading day',
  settings: ['symbols'],
  options: () => [
    new Option('--rate <n>', 'messages per second, 0.1 to 500000, or max').argParser(rate).default(50, '50'),
    new Option('--seed <text>', 'the same seed at the same time gives the same prices (default: random)'),
    new Option('--count <n>', 'stop after this number of messages')
      .argParser(whole(1, Number.MAX_SAFE_INTEGER))
      .default(Number.POSITIVE_INFINITY, 'never'),
    new Option('--disorder <share>', 'share of messages with a timestamp in the past, 0 to 1')
      .argParser(share)
      .default(0),
    new Option('--disorder-seconds <s>', 'how far in the past at most, in seconds').argParser(seconds).default(60),
    new Option('--duplicates <share>', 'share of messages that are copies of the previous one, 0 to 1')
      .argParser(share)
      .default(0),
    new Option('--bad <share>', 'share of messages that will be rejected, for every reason, 0 to 1')
      .argParser(share)
      .default(0),
    new Option('--pause-every <s>', 'pause after this number of seconds')
      .argParser(seconds)
      .default(Number.POSITIVE_INFINITY, 'never'),
    new Option('--pause-for <s>', 'length of a pause, in seconds').argParser(seconds).default(60),
  ],
  prepare: async (request) => {
    const { SimulateSource } = await import('./simulate-source.ts')
    const { symbolNames } = await import('./symbols.ts')
    const flags = request.flags as SimulateFlags
    const options = {
      ...flags,
      names: symbolNames(request.config.symbols),
      seed: flags.seed ?? randomBytes(4).toString('hex'),
      ratePerSecond: flags.rate,
      pauseEverySeconds: flags.pauseEvery,
      pauseForSeconds: flags.pauseFor,
    }
    return {
      open: async () => ({ source: async () => new SimulateSource(options, systemClock) }),
      close: async () => undefined,
    }
  },
}

function rate(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  return decimal(text, 0.1, 500_000, 'a number from 0.1 to 500000, or max')
}

function share(text: string): number {
  return decimal(text, 0, 1, 'a number from 0 to 1')
}

function seconds(text: string): number {
  return decimal(text, 0.001, 31_536_000, 'seconds, from 0.001 to 31536000')
}

function decimal(text: string, min: number, max: number, allowed: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new InvalidArgumentError(`must be ${allowed}`)
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`must be a whole number from ${min}`)
  }
}
