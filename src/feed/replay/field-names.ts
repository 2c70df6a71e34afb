import { KpiError } from '../../errors.ts'
import { type FieldName, fieldNames, type SourceField } from './price-line.ts'

/** Names that files use for each field. If a file has several, the first in the list wins. */
const aliases: Readonly<Record<FieldName, readonly string[]>> = {
  symbol: ['symbol', 'ticker', 'sym', 'instrument', 'pair', 'product', 'productid'],
  timestamp: [
    'timestamp',
    'datetime',
    'time',
    'ts',
    'epoch',
    'unix',
    'tradetime',
    'eventtime',
    'opentime',
    'windowstart',
    'tsevent',
    'transacttime',
    'date',
  ],
  open: ['open', 'openprice'],
  high: ['high', 'highprice'],
  low: ['low', 'lowprice'],
  close: ['close', 'price', 'last', 'closeprice', 'lastprice', 'tradeprice', 'px'],
  volume: ['volume', 'vol', 'size', 'qty', 'quantity', 'amount', 'lastsize', 'tradesize'],
}
/** Volumes in the quote currency. They are used only if the file has no volume in the base currency. */
const quoteVolumes = ['quotevolume', 'quoteassetvolume', 'quoteqty', 'quotequantity', 'quotevol', 'volumequote']
const baseVolumeRank = 50
const quoteVolumeRank = 100

const fieldsByAlias = new Map(
  fieldNames.flatMap((field) => aliases[field].map((alias, rank) => [alias, { field, rank }] as const)),
)

/** The field that a column name was recognised as. */
export interface KnownName {
  readonly field: FieldName
  /** Priority; 0 is the highest. */
  readonly rank: number
  /** Whether the name says that times are UTC: `Time (UTC)`, `Gmt time`. */
  readonly isUtc: boolean
}

/** Normalizes a name: `<Adj. Close>`, `adj_close` and `AdjClose` are the same. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/**
 * Finds the field that a column name means.
 *
 * @param bases - Base currencies of the file's symbols; only these may appear in `Volume XXX`.
 */
export function fieldOf(name: string, bases: ReadonlySet<string> = noBases): KnownName | undefined {
  const plain = plainName(name)
  const known = fieldsByAlias.get(plain)
  if (known) return { ...known, isUtc: false }
  const inUtc = fieldsByAlias.get(plain.replace(/^(?:utc|gmt)|(?:utc|gmt)$/, ''))
  if (inUtc?.field === 'timestamp') return { ...inUtc, isUtc: true }
  const currency = volumeCurrency(name)
  if (currency !== undefined) {
    const rank = bases.has(currency) ? baseVolumeRank : quoteVolumeRank
    return { field: 'volume', rank, isUtc: false }
  }
  const quoteRank = quoteVolumes.indexOf(plain)
  return quoteRank < 0 ? undefined : { field: 'volume', rank: quoteVolumeRank + quoteRank, isUtc: false }
}

const noBases: ReadonlySet<string> = new Set()

/** Words after `Volume` that name indicators, not currencies. */
const noCurrencies = new Set(['MA', 'SMA', 'EMA', 'AVG', 'MEAN', 'DELTA', 'RATIO', 'USED', 'WEIGHT', 'CHANGE'])

/** The XXX of a column `Volume XXX`, in capitals. */
export function volumeCurrency(name: string): string | undefined {
  const currency = /^vol(?:ume)?[ _(-]+([A-Za-z0-9]{2,10})\)?$/i.exec(name.trim())?.[1]?.toUpperCase()
  return currency === undefined || noCurrencies.has(currency) ? undefined : currency
}

/** Whether the column is a volume in the quote currency. */
export function isQuoteVolume({ field, rank }: KnownName): boolean {
  return field === 'volume' && rank >= quoteVolumeRank
}

/** Which of the currencies is the base of a symbol: USDT for `USDT/EUR`, BTC for `BTCUSDT` and `BINANCE:BTC-USD`. */
export function baseOf(symbol: string, currencies: readonly string[]): string | undefined {
  const pair = symbol.toUpperCase().replace(/^[^:]*:/, '')
  const [first = ''] = pair.split(/[^A-Z0-9]/)
  if (first !== pair) return currencies.find((currency) => currency === first)
  const found = currencies.filter((currency) => pair.startsWith(currency))
  return found.sort((a, b) => b.length - a.length)[0]
}

/** The value of `--map`: the column or member path of each field. */
export type FieldMapping = ReadonlyMap<FieldName, string>

/** The same, with the time of day separate from its date. */
export type SourceMapping = ReadonlyMap<SourceField, string>

/** @throws KpiError `KPI_USAGE` for an unknown field. */
export function checkMapping(mapping: ReadonlyMap<string, string>): FieldMapping {
  const isField = (name: string): name is FieldName => (fieldNames as readonly string[]).includes(name)
  const checked = new Map<FieldName, string>()
  for (const [field, column] of mapping) {
    if (!isField(field)) {
      throw new KpiError('KPI_USAGE', `--map ${field}=${column}: the fields are ${fieldNames.join(', ')}`)
    }
    checked.set(field, column)
  }
  return checked
}

/**
 * Splits `timestamp=Date+Time` into its two columns.
 *
 * @param hasName - Whether the file has a column of exactly this name, because a `+` may be part of a name.
 */
export function splitMapping(mapping: FieldMapping, hasName: (name: string) => boolean): SourceMapping {
  const split = new Map<SourceField, string>(mapping)
  const whole = mapping.get('timestamp')
  if (whole === undefined || hasName(whole)) return split
  const places = [...whole].flatMap((char, at) => (char === '+' && at > 0 && at < whole.length - 1 ? [at] : []))
  const at = places.find((place) => hasName(whole.slice(0, place)) && hasName(whole.slice(place + 1))) ?? places[0]
  if (at === undefined) return split
  return split.set('timestamp', whole.slice(0, at)).set('clock', whole.slice(at + 1))
}
