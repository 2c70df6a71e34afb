import { InvalidArgumentError, Option } from 'commander'
import { KpiError } from '../../errors.ts'
import { checkMapping } from './field-names.ts'
import { layouts, parseColumns } from './layouts.ts'
import type { ReadOptions } from './read-options.ts'
import { parseTimeFormat, timeFormatNames } from './time/time-format.ts'
import { TimeZone } from './time/time-zone.ts'

/** The values of the options of `feed replay:FILE` and `up --feed replay:FILE`. */
export interface ReplayFlags {
  readonly speed: number
  readonly shiftToNow?: true
  readonly keepTimestamps?: true
  readonly fromStart?: true
  readonly map?: ReadonlyMap<string, string>
  readonly symbol?: string
  readonly columns?: string
  readonly layout?: string
  readonly skipLines?: number
  readonly timeFormat?: string
  readonly timeZone?: string
  readonly decimal?: '.' | ','
  readonly thousands?: string
  readonly barTime?: 'start' | 'end'
  readonly barSeconds?: number
}

const thousandsSigns = [',', '.', ' ', "'", '_']
/** Bars may last up to a year. */
const mostBarSeconds = 31_622_400

/** The options of a replay. Each call returns new objects, because commander needs its own for each command. */
export function replayOptions(): Option[] {
  return [
    new Option('--speed <factor>', '1 as recorded, 10 ten times as fast, max as fast as possible')
      .argParser(speed)
      .default(Number.POSITIVE_INFINITY, 'max'),
    new Option('--keep-timestamps', 'send the recorded timestamps (the default)'),
    new Option(
      '--shift-to-now',
      'send the time at which each line is due at this --speed instead, like live data',
    ).conflicts('keepTimestamps'),
    new Option('--from-start', 'send the whole file again, even if parts were sent before'),
    new Option(
      '--map <field=column,…>',
      'which column holds which field: symbol=ric,timestamp=day+clock; for JSON a path: close=data[].p (default: by usual names)',
    ).argParser(mapping),
    new Option('--symbol <name>', 'use this symbol for all lines').argParser(symbol),
    new Option(
      '--columns <names>',
      'columns of a file without a header: timestamp,open,high,low,close,volume; - skips a column',
    ).conflicts(['layout', 'map']),
    new Option('--layout <name>', 'columns of a common layout').choices(Object.keys(layouts)).conflicts('map'),
    new Option('--skip-lines <n>', 'number of lines above the header, or above the first price').argParser(lineCount),
    new Option(
      '--time-format <form>',
      `${timeFormatNames.join(', ')} or a pattern such as 'dd/MM/yyyy HH:mm' (default: recognised by the form)`,
    ),
    new Option('--time-zone <zone>', 'time zone of times without an offset, such as America/New_York (default: UTC)'),
    new Option('--decimal <sign>', 'decimal separator of numbers (default: .)').choices(['.', ',']),
    new Option('--thousands <sign>', 'thousands separator of numbers (default: none)').choices(thousandsSigns),
    new Option('--bar-time <which>', 'whether timestamps are the start or the end of a bar (default: start)').choices([
      'start',
      'end',
    ]),
    new Option('--bar-seconds <s>', 'length of a bar in seconds, with --bar-time end').argParser(barSeconds),
  ]
}

/**
 * Converts the flags to read options.
 *
 * @throws KpiError `KPI_USAGE` for invalid values or combinations.
 */
export function readOptions(flags: ReplayFlags): ReadOptions {
  const { map, symbol, layout, skipLines, timeFormat, timeZone, barTime, barSeconds } = flags
  if ((barTime === 'end') !== (barSeconds !== undefined)) {
    throw new KpiError('KPI_USAGE', '--bar-time end and --bar-seconds belong together: how long are the bars?')
  }
  const columns = flags.columns ?? (layout === undefined ? undefined : layouts[layout])
  return {
    mapping: checkMapping(map ?? new Map()),
    symbol,
    columns: columns === undefined ? undefined : parseColumns(columns),
    skipLines: skipLines ?? 0,
    timeFormat: timeFormat === undefined ? undefined : parseTimeFormat(timeFormat),
    timeZone: timeZone === undefined ? undefined : new TimeZone(timeZone),
    barSeconds,
    signs: signsOf(flags),
  }
}

function signsOf({ decimal = '.', thousands }: ReplayFlags): ReadOptions['signs'] {
  if (thousands === decimal) {
    throw new KpiError(
      'KPI_USAGE',
      `--thousands ${thousands} needs another decimal sign: --decimal ${thousands === '.' ? ',' : '.'}`,
    )
  }
  return decimal === '.' && thousands === undefined ? undefined : { decimal, thousands }
}

function speed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0.001 && value <= 1_000_000) return value
  throw new InvalidArgumentError('must be a number from 0.001 to 1000000, or max')
}

function lineCount(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('must be a number of lines, from 0 to 9999999')
}

function barSeconds(text: string): number {
  const value = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN
  if (value >= 1 && value <= mostBarSeconds) return value
  throw new InvalidArgumentError(`must be whole seconds, from 1 to ${mostBarSeconds}`)
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
