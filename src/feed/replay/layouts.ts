import { KpiError } from '../../errors.ts'
import type { SourceField } from './price-line.ts'
import { readClock, readCompact, readDateTime } from './time/civil-time.ts'

/** The field of each column of a file without a header; undefined for a column that is not read. */
export type Columns = readonly (SourceField | undefined)[]

const ohlcv = 'open,high,low,close,volume'

/** Known layouts of files that exchanges and trading terminals write without a header. */
export const layouts: Readonly<Record<string, string>> = {
  'binance-klines': `timestamp,${ohlcv}`,
  'binance-aggtrades': '-,close,volume,-,-,timestamp',
  'binance-trades': '-,close,volume,-,timestamp',
  'kraken-trades': 'timestamp,close,volume',
  'kraken-ohlc': `timestamp,${ohlcv}`,
  histdata: `timestamp,${ohlcv}`,
  stooq: `symbol,-,date,time,${ohlcv}`,
  metatrader: `date,time,${ohlcv}`,
}

const columnNames = ['symbol', 'timestamp', 'date', 'time', 'open', 'high', 'low', 'close', 'volume', '-']

/**
 * Parses `--columns`.
 *
 * @throws KpiError `KPI_USAGE` if the names do not make a price.
 */
export function parseColumns(text: string): Columns {
  const names = text.split(',').map((name) => name.trim().toLowerCase())
  const refuse = (why: string): never => {
    throw new KpiError('KPI_USAGE', `--columns ${text}: ${why}`)
  }
  const unknown = names.find((name) => !columnNames.includes(name))
  if (unknown !== undefined)
    refuse(`'${unknown}' is no column; there are ${columnNames.join(', ')} (- for one that is not read)`)
  const twice = names.find((name, index) => name !== '-' && names.indexOf(name) !== index)
  if (twice !== undefined) refuse(`'${twice}' is there twice`)
  const has = (name: string) => names.includes(name)
  if (has('timestamp') && (has('date') || has('time')))
    refuse('timestamp already means date and time: use either timestamp or date and time')
  if (has('time') && !has('date')) refuse('a time of day needs a date; a column that holds both is called timestamp')
  if (!has('timestamp') && !has('date')) refuse('timestamp is missing')
  if (!has('close')) refuse('close is missing')
  return names.map((name) => {
    if (name === '-') return undefined
    return name === 'date' ? 'timestamp' : name === 'time' ? 'clock' : (name as SourceField)
  })
}

type Cell = 'epoch' | 'time' | 'compact day' | 'day' | 'clock' | 'whole' | 'number' | 'word' | 'empty'

/** What a value in a line without a header looks like. */
function cellOf(text: string): Cell {
  if (text === '') return 'empty'
  if (readCompact(text)) return text.length === 8 ? 'compact day' : 'time'
  const civil = readDateTime(text)
  if (civil) return civil.isDay ? 'day' : 'time'
  if (/^\d\d:\d\d/.test(text) && readClock(text)) return 'clock'
  if (/^\d{1,2}[/-]\d{1,2}[/-]\d{2,4}( |T|$)/.test(text)) return text.includes(':') ? 'time' : 'day'
  if (/^1\d{9}(\d{3}|\d{6}|\d{9})?(\.\d+)?$/.test(text)) return 'epoch'
  if (/^-?\d+$/.test(text)) return 'whole'
  return /^[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?$/.test(text) ? 'number' : 'word'
}

/**
 * Whether a line has values rather than column names: it has numbers, and nothing that could be the name of a column.
 */
export function isLineOfValues(cells: readonly string[]): boolean {
  const kinds = cells.map(cellOf)
  return kinds.filter((kind) => kind !== 'word' && kind !== 'empty').length >= Math.max(2, cells.length / 2)
}

const numeric: readonly Cell[] = ['number', 'whole', 'epoch', 'compact day', 'empty']
const isNumber = (kind: Cell | undefined) => kind !== undefined && numeric.includes(kind)
const isWhole = (kind: Cell | undefined) => kind === 'whole' || kind === 'compact day' || kind === 'epoch'
const isDay = (kind: Cell | undefined) => kind === 'day' || kind === 'compact day'
const isInstant = (kind: Cell | undefined) => kind === 'epoch' || kind === 'time'

/** Whether four values can be open, high, low and close. */
function isBar(cells: readonly string[], at: number): boolean {
  const values = cells.slice(at, at + 4).map((text) => Number(text.replace(',', '.')))
  const [open = Number.NaN, high = Number.NaN, low = Number.NaN, close = Number.NaN] = values
  return high >= Math.max(open, low, close) && low <= Math.min(open, close)
}

/**
 * Detects the columns of a line of values, if its layout is known.
 *
 * @returns The columns in the form of `--columns`, and the name of the layout if it has one.
 */
export function recogniseLayout(cells: readonly string[]): { columns: string; layout?: string } | undefined {
  const kinds = cells.map(cellOf)
  const name = layoutOf(cells, kinds)
  if (name !== undefined) return { layout: name, columns: layouts[name] ?? '' }
  // If no known layout matches: a bar after its symbol and its time, or after one of the two.
  const hasSymbol = kinds[0] === 'word'
  const first = hasSymbol ? 1 : 0
  const isApart = isDay(kinds[first]) && isClock(cells[first + 1])
  const prices = first + (isApart ? 2 : 1)
  if (!isInstant(kinds[first]) && !isDay(kinds[first])) return undefined
  const start = `${hasSymbol ? 'symbol,' : ''}${isApart ? 'date,time' : 'timestamp'}`
  if (!isBar(cells, prices)) return undefined
  const hasVolume = isNumber(kinds[prices + 4]) && cells[prices + 4] !== ''
  return { columns: `${start},${hasVolume ? ohlcv : 'open,high,low,close'}` }
}

function isClock(text: string | undefined): boolean {
  return text !== undefined && readClock(text) !== undefined
}

function layoutOf(cells: readonly string[], kinds: readonly Cell[]): string | undefined {
  const { length } = kinds
  const [first, second, third, fourth, fifth, sixth, seventh] = kinds
  if (first === 'epoch' && isBar(cells, 1)) {
    if (length >= 11 && length <= 12 && isEpochLike(cells[6])) return 'binance-klines'
    if ((length === 7 || length === 8) && isNumber(sixth) && isWhole(kinds[length - 1])) return 'kraken-ohlc'
  }
  if (length === 3 && first === 'epoch' && isNumber(second) && isNumber(third)) return 'kraken-trades'
  const endsWithFlag = /^(true|false)$/i.test(cells[length - 1] ?? '')
  if (endsWithFlag && isWhole(first) && isNumber(second) && isNumber(third)) {
    if (isWhole(fourth) && isWhole(fifth) && sixth === 'epoch') return 'binance-aggtrades'
    if (isNumber(fourth) && fifth === 'epoch') return 'binance-trades'
  }
  if (length === 6 && /^\d{8} \d{6}$/.test(cells[0] ?? '') && isBar(cells, 1)) return 'histdata'
  if (length >= 9 && first === 'word' && third === 'compact day' && isClock(cells[3]) && isBar(cells, 4)) return 'stooq'
  if (length >= 7 && first === 'day' && second === 'clock' && isBar(cells, 2) && isNumber(seventh)) return 'metatrader'
  return undefined
}

function isEpochLike(text: string | undefined): boolean {
  return text !== undefined && cellOf(text) === 'epoch'
}
