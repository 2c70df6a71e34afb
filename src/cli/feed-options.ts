import { type Command, InvalidArgumentError, Option } from 'commander'
import { KpiError } from '../errors.ts'
import { type Compression, compressions } from '../kafka/record-batch-writer.ts'

/** What `feed` was told by flags; settings are read elsewhere. */
export interface FeedFlags {
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
  // replay
  readonly speed: number
  readonly shiftToNow?: true
  readonly keepTimestamps?: true
  readonly map?: ReadonlyMap<string, string>
  readonly symbol?: string
  readonly fromStart?: true
}

const simulateOnly = [
  new Option('--rate <n>', 'messages a second, 0.1 to 500000, or max').argParser(rate).default(50, '50'),
  new Option('--seed <text>', 'the same seed at the same time makes the same prices (default: a new one each start)'),
  new Option('--count <n>', 'end after so many messages')
    .argParser(whole(1, Number.MAX_SAFE_INTEGER))
    .default(Number.POSITIVE_INFINITY, 'never'),
  new Option('--disorder <share>', 'share of messages with a time in the past, 0 to 1').argParser(share).default(0),
  new Option('--disorder-seconds <s>', 'how far in the past at most').argParser(seconds).default(60),
  new Option('--duplicates <share>', 'share of messages that repeat the one before').argParser(share).default(0),
  new Option('--bad <share>', 'share of messages that must be rejected, of every kind').argParser(share).default(0),
  new Option('--pause-every <s>', 'fall silent after so many seconds')
    .argParser(seconds)
    .default(Number.POSITIVE_INFINITY, 'never'),
  new Option('--pause-for <s>', 'how long to be silent').argParser(seconds).default(60),
]

const replayOnly = [
  new Option('--speed <factor>', '1 sends as recorded, 10 ten times as fast, max as fast as it goes')
    .argParser(speed)
    .default(Number.POSITIVE_INFINITY, 'max'),
  new Option('--keep-timestamps', 'send the recorded times, at any speed (the default)'),
  new Option(
    '--shift-to-now',
    'send the time at which each line is due at this --speed, so that it looks live',
  ).conflicts('keepTimestamps'),
  new Option(
    '--map <field=column,…>',
    'which column is which, symbol=ric,close=mid; in JSON a path, close=data.p (default: by the usual names)',
  ).argParser(mapping),
  new Option('--symbol <name>', 'the symbol of all lines, for a file that has no column for it').argParser(symbol),
  new Option('--from-start', 'send the whole file again, whatever was sent before'),
]

export function addFeedOptions(command: Command): Command {
  command.addOption(
    new Option('--compression <kind>', 'of what is sent to Kafka').choices(compressions).default('none'),
  )
  for (const option of [...simulateOnly, ...replayOnly]) command.addOption(option)
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
  const others = source === 'simulate' ? replayOnly : simulateOnly
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

function speed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  return decimal(text, 0.001, 1_000_000, 'a number from 0.001 to 1000000, or max')
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

function symbol(text: string): string {
  if (/^[\x21-\x7e]{1,32}$/.test(text)) return text
  throw new InvalidArgumentError('must be 1 to 32 printable ASCII characters without spaces')
}

function mapping(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('='))
  if (pairs.some(([field = '', column = '', ...rest]) => !field || !column || rest.length > 0)) {
    throw new InvalidArgumentError('must be FIELD=COLUMN, several separated by commas')
  }
  return new Map(pairs.map(([field = '', column = '']) => [field, column]))
}
