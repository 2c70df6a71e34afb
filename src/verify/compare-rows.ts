import { isTouched, type LogLosses } from '../kpi/log-losses.ts'
import { comparedColumnNames } from '../store/windows/window-columns.ts'
import { type Difference, type Findings, isoInstant, type UncheckedWindow } from './findings.ts'
import { type PlainWindows, partsOf, windowKey } from './plain-windows.ts'
import { expectedColumns, expectedText, isAsExpected, tableText } from './row-columns.ts'

const tradeCountAt = comparedColumnNames.indexOf('trade_count')

/** The rows of a snapshot, by window. One string a row, since there may be many. */
export class TableRows {
  readonly #rows = new Map<string, string>()

  add(columns: readonly (string | null)[]): void {
    const [symbol, start] = columns
    this.#rows.set(windowKey(symbol ?? '', Number(start)), columns.map((text) => text ?? '').join('\t'))
  }

  get count(): number {
    return this.#rows.size
  }

  *[Symbol.iterator](): Generator<{ key: string; columns: (string | null)[] }> {
    // No column of a row is ever an empty text.
    for (const [key, row] of this.#rows) yield { key, columns: row.split('\t').map((text) => text || null) }
  }
}

export interface RowFindings {
  readonly differences: Findings<Difference>
  readonly unchecked: Findings<UncheckedWindow>
}

/** What the comparison needs besides the rows of a snapshot. */
export interface RowDependencies {
  readonly losses: LogLosses
  readonly windowSeconds: number
  /** Fractional digits of prices and volumes. */
  readonly decimals: number
  /** Windows that start earlier were pruned, or are of an earlier definition: they are not compared. */
  readonly floorUs: number
}

/** Compares each row with its window and removes the window; the windows that remain have no row. */
export function compareRows(
  rows: TableRows,
  { windows, crowdedOut }: PlainWindows,
  { losses, windowSeconds, decimals, floorUs }: RowDependencies,
  { differences, unchecked }: RowFindings,
): void {
  for (const { key, columns } of rows) {
    const window = windows.get(key)
    windows.delete(key)
    if (partsOf(key).startUs < floorUs) continue
    const expected = window && expectedColumns(window, partsOf(key).startUs, { windowSeconds, decimals })
    const wrong = expected ? wrongColumns(columns, expected) : [noMessage(columns)]
    if (wrong.length === 0) continue
    const { symbol, startUs } = partsOf(key)
    const name = { symbol, window: isoInstant(startUs) }
    const tradeCount = Number(columns[tradeCountAt])
    const inLog = window?.n ?? 0
    if (isTouched(losses, startUs, windowSeconds, tradeCount > inLog)) unchecked.add({ ...name, tradeCount, inLog })
    else for (const difference of wrong) differences.add({ ...name, ...difference })
  }
  for (const [key, window] of windows) {
    const { symbol, startUs } = partsOf(key)
    if (startUs < floorUs) continue
    const name = { symbol, window: isoInstant(startUs) }
    if (isTouched(losses, startUs, windowSeconds, false)) unchecked.add({ ...name, tradeCount: 0, inLog: window.n })
    else differences.add({ ...name, column: 'row', table: null, recomputed: `${window.n} messages` })
  }
  if (crowdedOut > 0) {
    differences.add({ column: 'row', table: null, recomputed: `${crowdedOut} messages of more windows without a row` })
  }
}

type WrongColumn = Pick<Difference, 'column' | 'table' | 'recomputed'>

function noMessage(columns: readonly (string | null)[]): WrongColumn {
  return { column: 'row', table: `${columns[tradeCountAt]} messages`, recomputed: null }
}

function wrongColumns(
  columns: readonly (string | null)[],
  expected: ReturnType<typeof expectedColumns>,
): WrongColumn[] {
  return comparedColumnNames.flatMap((column, index) => {
    if (column === 'symbol' || column === 'window_start') return []
    const text = columns[index] ?? null
    if (isAsExpected(text, expected[column])) return []
    return [{ column, table: tableText(column, text), recomputed: expectedText(column, expected[column]) }]
  })
}
