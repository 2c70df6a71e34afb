import { KpiError } from '../../../errors.ts'
import { baseOf, fieldOf, isQuoteVolume, splitMapping, volumeCurrency } from '../field-names.ts'
import { type SourceField, sourceFields } from '../price-line.ts'
import type { FormatOptions } from '../read-options.ts'
import type { TimeChoice } from '../time/time-columns.ts'
import { listed } from './csv-head.ts'

/** Maps each field to its column in a CSV file with a header. */
export type ColumnPlaces = ReadonlyMap<SourceField, number>

/** Finds a column by name: an exact match first, then one that ignores case. */
function placeOf(names: readonly string[], wanted: string): number {
  const exact = names.indexOf(wanted)
  return exact >= 0 ? exact : names.findIndex((name) => name.toLowerCase() === wanted.toLowerCase())
}

/** The columns that `--map` names, spelled as in the header. */
export function mappedNames(
  names: readonly string[],
  { path, mapping = new Map() }: FormatOptions,
): Map<SourceField, string> {
  const wanted = splitMapping(mapping, (name) => placeOf(names, name) >= 0)
  return new Map(
    [...wanted].map(([field, text]) => {
      const name = names[placeOf(names, text)]
      if (name !== undefined) return [field, name]
      const told = `${field === 'clock' ? 'timestamp' : field}=${text}`
      throw new KpiError('KPI_FEED_FILE', `${path}: --map ${told}: there is no such column (${listed(names)})`)
    }),
  )
}

/**
 * Finds the column of each field.
 *
 * @param symbols - The symbols of the first lines. They decide which of two volume columns is in the base currency.
 * @throws KpiError `KPI_FEED_FILE` when the header lacks a field that a price needs.
 */
export function placeColumns(
  names: readonly string[],
  found: { readonly time: TimeChoice | undefined; readonly symbols: ReadonlySet<string> },
  options: FormatOptions,
): ColumnPlaces {
  const mapped = mappedNames(names, options)
  const places = new Map<SourceField, number>()
  const ranks = new Map<SourceField, number>()
  const bases = basesOf(names, found.symbols)
  for (const [column, name] of names.entries()) {
    const known = fieldOf(name, bases)
    if (!known || known.field === 'timestamp' || known.rank >= (ranks.get(known.field) ?? Number.POSITIVE_INFINITY))
      continue
    places.set(known.field, column)
    ranks.set(known.field, known.rank)
  }
  if (found.time) places.set('timestamp', placeOf(names, found.time.timestamp))
  if (found.time?.clock !== undefined) places.set('clock', placeOf(names, found.time.clock))
  for (const [field, name] of mapped) places.set(field, placeOf(names, name))
  if (options.symbol !== undefined) places.delete('symbol')
  return new Map(sourceFields.flatMap((field) => [...places].filter(([placed]) => placed === field)))
}

/** Currencies that are named by columns and are the base of every symbol in the file. */
export function basesOf(names: readonly string[], symbols: ReadonlySet<string>): Set<string> {
  const currencies = names.flatMap((name) => volumeCurrency(name) ?? [])
  const found = [...symbols].map((symbol) => baseOf(symbol, currencies))
  const [first] = found
  return new Set(first !== undefined && found.every((base) => base === first) ? [first] : [])
}

/** The log message about which volume column was chosen; undefined if there was only one. */
export function volumeNote(
  names: readonly string[],
  places: ColumnPlaces,
  { symbols, options }: { readonly symbols: ReadonlySet<string>; readonly options: FormatOptions },
): string | undefined {
  const name = names[places.get('volume') ?? -1]
  if (name === undefined || options.mapping?.has('volume')) return undefined
  return volumeChoice(name, names, basesOf(names, symbols))
}

/** @returns The log message about which of several volume columns was chosen; undefined if there was only one. */
export function volumeChoice(name: string, names: readonly string[], bases: ReadonlySet<string>): string | undefined {
  const chosen = fieldOf(name, bases)
  if (chosen && isQuoteVolume(chosen))
    return `volume is taken from '${name}', a volume of the quote currency: there is none of the base`
  const others = names.filter((other) => {
    const known = other === name ? undefined : fieldOf(other, bases)
    return known?.field === 'volume' && !isQuoteVolume(known)
  })
  if (others.length === 0) return undefined
  const rest = others.map((other) => `'${other}'`).join(' and ')
  return `volume is taken from '${name}', and ${rest} is not used: --map volume=… takes another one`
}
