import { grouped } from '../../runtime/number-text.ts'
import { type Column, cells, type Line, signed, span } from '../line.ts'
import { ageText, changeText, priceText, shortNumber } from '../number-text.ts'
import type { MonitorData } from '../refresher.ts'
import type { SortKey, SymbolRow } from '../symbol-rows.ts'
import type { View } from '../view.ts'

interface SymbolColumn extends Column {
  readonly key: SortKey
  readonly text: (row: SymbolRow, width: number, nowMs: number) => string
}

/** All nine columns fit into 80 cells. In a wider terminal the symbol and the prices get more. */
function columnsFor(width: number): readonly SymbolColumn[] {
  const extra = Math.max(0, Math.min(8, Math.floor((width - 80) / 6)))
  const price = 9 + extra
  const all: readonly SymbolColumn[] = [
    { key: 'symbol', title: 'Symbol', width: 10 + extra, text: ({ symbol }) => symbol },
    { key: 'close', title: 'Close', width: price, align: 'right', text: (row, w) => priceText(row.latestClose, w) },
    {
      key: 'change',
      title: 'Change',
      width: 8,
      align: 'right',
      text: ({ changePercent }) => changeText(changePercent),
    },
    { key: 'windows', title: 'Win', width: 4, align: 'right', text: ({ windows }) => shortNumber(windows) },
    { key: 'avg', title: 'Avg', width: price, align: 'right', text: (row, w) => priceText(row.avgPrice, w) },
    { key: 'min', title: 'Min', width: price, align: 'right', text: (row, w) => priceText(row.minPrice, w) },
    { key: 'max', title: 'Max', width: price, align: 'right', text: (row, w) => priceText(row.maxPrice, w) },
    {
      key: 'volume',
      title: 'Volume',
      width: 7,
      align: 'right',
      text: ({ totalVolume }) => shortNumber(Number(totalVolume)),
    },
    {
      key: 'updated',
      title: 'Age',
      width: 7,
      align: 'right',
      text: ({ lastEventAtMs }, _width, nowMs) => ageText((nowMs - lastEventAtMs) / 1000),
    },
  ]
  return without(all, width)
}

/** Columns that are left out in a narrow terminal, the least important first. */
const dispensable: readonly SortKey[] = ['avg', 'windows', 'updated', 'max', 'min']

function without(columns: readonly SymbolColumn[], width: number): readonly SymbolColumn[] {
  let shown = columns
  for (const key of dispensable) {
    if (shown.reduce((sum, column) => sum + column.width + 1, -1) <= width) break
    shown = shown.filter((column) => column.key !== key)
  }
  return shown
}

/** `Symbols 12 of 500 /BTC last 24 h, by volume ▼` */
export function symbolsTitle({ statistics }: MonitorData, view: View, found: number): Line {
  const { sort, filter, isFiltering } = view
  const shown: Line = [span('Symbols', 'heading')]
  if (statistics?.state !== 'ok') return shown
  const { symbols, isCapped, spanSeconds } = statistics
  const all = `${isCapped ? 'the first ' : ''}${grouped(symbols.length)}`
  const count = filter === '' ? ` ${all}` : ` ${grouped(found)} of ${all}`
  const order = `by ${sort.key} ${sort.isDescending ? '▼' : '▲'}`
  const typed: Line = isFiltering || filter !== '' ? [span(` /${filter}${isFiltering ? '_' : ''}`, 'heading')] : []
  return [...shown, span(count), ...typed, span(` last ${spanText(spanSeconds)}, ${order}`, 'faint')]
}

export function spanText(seconds: number): string {
  return seconds >= 3600 ? `${seconds / 3600} h` : `${seconds / 60} min`
}

export interface SymbolTable {
  readonly rows: readonly SymbolRow[]
  readonly width: number
  /** The number of rows that fit below the titles. */
  readonly page: number
  readonly nowMs: number
}

/** The titles, and the rows that fit. */
export function symbolLines({ statistics }: MonitorData, view: View, table: SymbolTable): Line[] {
  if (statistics === null) return [[span(' not checked yet', 'faint')]]
  if (statistics.state === 'unknown') return [[signed('unknown', `unknown: ${statistics.reason}`)]]
  if (statistics.symbols.length === 0) return [[span(' there are no rows yet', 'faint')]]
  if (table.rows.length === 0) return [[span(` no symbol holds "${view.filter}"`, 'faint')]]
  const columns = columnsFor(table.width)
  const top = topOf(view.symbolTop, table)
  const shown = table.rows.slice(top, top + table.page)
  return [titlesLine(columns, view), ...shown.map((row) => rowLine(columns, row, table.nowMs))]
}

/** The first row shown, limited because there may be fewer rows than before. */
function topOf(wanted: number, { rows, page }: SymbolTable): number {
  return Math.max(0, Math.min(wanted, rows.length - page))
}

function titlesLine(columns: readonly SymbolColumn[], { column: chosen }: View): Line {
  return columns.flatMap(({ key, title, width, align }, index) => [
    span(index === 0 ? '' : ' ', 'heading'),
    span(align === 'right' ? title.padStart(width) : title.padEnd(width), key === chosen ? 'selected' : 'heading'),
  ])
}

function rowLine(columns: readonly SymbolColumn[], row: SymbolRow, nowMs: number): Line {
  const change = columns.findIndex(({ key }) => key === 'change')
  const texts = columns.map(({ text, width }) => text(row, width, nowMs))
  const tone = (row.changePercent ?? 0) < 0 ? 'warning' : 'good'
  const before = columns.slice(0, change)
  const after = columns.slice(change + 1)
  return [
    span(`${cells(before, texts)} `),
    span(cells(columns.slice(change, change + 1), texts.slice(change)), row.changePercent ? tone : 'plain'),
    span(` ${cells(after, texts.slice(change + 1))}`),
  ]
}
