import { KpiError } from '../../errors.ts'
import { type FieldName, fieldNames } from './price-line.ts'

/** What files call the fields; the earlier name wins where a file has several. */
const aliases: Readonly<Record<FieldName, readonly string[]>> = {
  symbol: ['symbol', 'ticker', 'sym', 'instrument', 'pair', 'product', 'productid'],
  timestamp: ['timestamp', 'datetime', 'time', 'date', 'ts', 'epoch', 'unix', 'tradetime', 'eventtime', 'opentime'],
  open: ['open', 'openprice'],
  high: ['high', 'highprice'],
  low: ['low', 'lowprice'],
  close: ['close', 'price', 'last', 'closeprice', 'lastprice', 'tradeprice', 'px'],
  volume: ['volume', 'vol', 'size', 'qty', 'quantity', 'amount', 'lastsize', 'tradesize'],
}

const fieldsByAlias = new Map(
  fieldNames.flatMap((field) => aliases[field].map((alias, rank) => [alias, { field, rank }] as const)),
)

/** `<Adj. Close>`, `adj_close` and `AdjClose` are one name. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Which field a name stands for, and how it ranks among the names of that field, 0 first. */
export function fieldOf(name: string): { field: FieldName; rank: number } | undefined {
  return fieldsByAlias.get(plainName(name))
}

/** What `--map` says: the column, or the path of names, of a field. */
export type FieldMapping = ReadonlyMap<FieldName, string>

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
