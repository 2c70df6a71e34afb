import { type Command, InvalidArgumentError, Option } from 'commander'
import { KpiError } from '../../errors.ts'
import { type Compression, compressions } from '../../kafka/records/record-batch-writer.ts'
import { type ReplayFlags, replayOptions } from './replay-options.ts'

/** What `feed` was told by flags; settings are read elsewhere. */
export interface FeedFlags extends ReplayFlags {
  readonly compression: Compression
  // simulate
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

const simulateOnly = [
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
]

/** The compression of what a feed sends. */
export function compressionOption(): Option {
  return new Option('--compression <kind>', 'compression of the messages sent to Kafka')
    .choices(compressions)
    .default('none')
}

export function addFeedOptions(command: Command): Command {
  command.addOption(compressionOption())
  for (const option of [...simulateOnly, ...replayOptions()]) command.addOption(option)
  return command
}

export type FeedSource = { readonly kind: 'simulate' } | { readonly kind: 'replay'; readonly file: string }

/** @throws KpiError `KPI_USAGE`. */
export function parseFeedSource(text: string): FeedSource {
  if (text === 'simulate') return { kind: 'simulate' }
  const file = text.startsWith('replay:') ? text.slice('replay:'.length) : ''
  if (file !== '') return { kind: 'replay', file }
  throw new KpiError('KPI_USAGE', `the source '${text}': must be simulate or replay:FILE`)
}

/**
 * Refuses options that mean nothing to the source chosen: silence would hide a mistake.
 *
 * @throws KpiError `KPI_USAGE`.
 */
export function checkFeedOptions(command: Command, source: FeedSource['kind']): FeedFlags {
  const others = source === 'simulate' ? replayOptions() : simulateOnly
  const names = others.map((option) => ({ flag: option.long ?? option.flags, name: option.attributeName() }))
  // A setting, so it is no option of ours alone.
  if (source === 'replay') names.push({ flag: '--symbols', name: 'symbols' })
  const stray = names.find(({ name }) => command.getOptionValueSource(name) === 'cli')
  if (stray) {
    const owner = source === 'simulate' ? 'replay:FILE' : 'simulate'
    throw new KpiError('KPI_USAGE', `${stray.flag} belongs to the source ${owner}, not to ${source}`)
  }
  return command.opts<FeedFlags>()
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
