import { KpiError } from '../../errors.ts'
import { type FieldName, fieldNames, type SourceField } from './price-line.ts'

/** What files call the fields; the earlier name wins where a file has several. */
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
/** In units of the quote currency: worth less than any volume of the base. */
const quoteVolumes = ['quotevolume', 'quoteassetvolume', 'quoteqty', 'quotequantity', 'quotevol', 'volumequote']
const baseVolumeRank = 50
const quoteVolumeRank = 100

const fieldsByAlias = new Map(
  fieldNames.flatMap((field) => aliases[field].map((alias, rank) => [alias, { field, rank }] as const)),
)

/** What a name is taken for. */
export interface KnownName {
  readonly field: FieldName
  /** 0 first. */
  readonly rank: number
  /** Whether it says that times are UTC: `Time (UTC)`, `Gmt time`. */
  readonly isUtc: boolean
}

/** `<Adj. Close>`, `adj_close` and `AdjClose` are one name. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/**
 * Which field a name stands for.
 *
 * @param bases - The base currencies of the file's symbols that `Volume XXX` may name.
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

/** Names of indicators rather than of currencies. */
const noCurrencies = new Set(['MA', 'SMA', 'EMA', 'AVG', 'MEAN', 'DELTA', 'RATIO', 'USED', 'WEIGHT', 'CHANGE'])

/** XXX, in capitals, of a column `Volume XXX`. */
export function volumeCurrency(name: string): string | undefined {
  const currency = /^vol(?:ume)?[ _(-]+([A-Za-z0-9]{2,10})\)?$/i.exec(name.trim())?.[1]?.toUpperCase()
  return currency === undefined || noCurrencies.has(currency) ? undefined : currency
}

/** Whether a name is that of a volume in units of the quote currency. */
export function isQuoteVolume({ field, rank }: KnownName): boolean {
  return field === 'volume' && rank >= quoteVolumeRank
}

/** Which of the currencies is the base of a symbol: USDT of `USDT/EUR`, BTC of `BTCUSDT` and `BINANCE:BTC-USD`. */
export function baseOf(symbol: string, currencies: readonly string[]): string | undefined {
  const pair = symbol.toUpperCase().replace(/^[^:]*:/, '')
  const [first = ''] = pair.split(/[^A-Z0-9]/)
  if (first !== pair) return currencies.find((currency) => currency === first)
  const found = currencies.filter((currency) => pair.startsWith(currency))
  return found.sort((a, b) => b.length - a.length)[0]
}

/** What `--map` says: the column, or the path of names, of a field. */
export type FieldMapping = ReadonlyMap<FieldName, string>

/** The same, with a time of day apart from its date. */
export type SourceMapping = ReadonlyMap<SourceField, string>

/** @throws KpiError `KPI_USAGE` for a field that no price has. */
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
 * Takes `timestamp=Date+Time` apart.
 *
 * @param hasName - Whether a name is there as it is written: a `+` may be part of one.
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
