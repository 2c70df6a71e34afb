import { type PlainWindow, partsOf, windowKey } from '../../src/verify/plain-windows.ts'
import { type ComparedColumn, expectedColumns, isAsExpected } from '../../src/verify/row-columns.ts'

/** A contender's row, as the driver hands it over. */
export interface PeerRow {
  readonly symbol: string
  readonly startUs: number
  readonly avg_close: number | null
  readonly min_close: number | null
  readonly max_close: number | null
  readonly vwap: number | null
  readonly price_range: number | null
  readonly total_volume: number | null
  readonly message_count: number | null
}

/** How a contender's table differs from what it has to be. */
export interface RowCheck {
  readonly expected: number
  readonly missing: number
  /** Rows of windows without a message. */
  readonly extra: number
  readonly wrong: number
  /** The first wrong, extra or missing row. */
  readonly example: string | null
}

export function isCorrect({ missing, extra, wrong }: RowCheck): boolean {
  return missing + extra + wrong === 0
}

type Windows = ReadonlyMap<string, PlainWindow>
type Figures = Omit<PeerRow, 'symbol' | 'startUs'>

/** The others add in binary floating point; nobody who does that asks for more. */
const tolerance = 1e-6
const priceScale = 1e8

/** Every row within {@link tolerance} of its window, relatively, and no other row. */
export function comparePeerRows(rows: readonly PeerRow[], windows: Windows): RowCheck {
  return compare(
    rows.map((row) => ({ key: windowKey(row.symbol, row.startUs), row })),
    windows,
    (row, window) => {
      const expected = expectedFigures(window)
      const names = Object.keys(expected) as (keyof Figures)[]
      return names.find((name) => !isNear(row[name], expected[name]))
    },
  )
}

/** Every column of every row to the digit, as `verify` compares them. */
export function compareExactRows(
  rows: readonly Readonly<Record<string, string | null>>[],
  windows: Windows,
  definition: { windowSeconds: number; decimals: number },
): RowCheck {
  return compare(
    rows.map((row) => ({ key: windowKey(row.symbol ?? '', Number(row.window_start)), row })),
    windows,
    (row, window, key) => {
      const expected = expectedColumns(window, partsOf(key).startUs, definition)
      const names = Object.keys(expected) as ComparedColumn[]
      return names.find((name) => !isAsExpected(row[name] ?? null, expected[name]))
    },
  )
}

/** @param wrongColumn - The first column of a row that is not as its window has it. */
function compare<R>(
  rows: readonly { key: string; row: R }[],
  windows: Windows,
  wrongColumn: (row: R, window: PlainWindow, key: string) => string | undefined,
): RowCheck {
  const seen = new Set<string>()
  let extra = 0
  let wrong = 0
  let example: string | null = null
  for (const { key, row } of rows) {
    const window = windows.get(key)
    const column = window && wrongColumn(row, window, key)
    seen.add(key)
    if (!window) extra += 1
    else if (column !== undefined) wrong += 1
    else continue
    example ??= window ? `${key}: ${column}` : `${key}: no such window`
  }
  const missing = [...windows.keys()].filter((key) => !seen.has(key))
  if (missing[0] !== undefined) example ??= `${missing[0]}: no row`
  return { expected: windows.size, missing: missing.length, extra, wrong, example }
}

function expectedFigures(window: PlainWindow): Figures {
  const volume = Number(window.sumVolume) / priceScale
  return {
    avg_close: Number(window.sumClose) / priceScale / window.n,
    min_close: Number(window.minClose) / priceScale,
    max_close: Number(window.maxClose) / priceScale,
    vwap: volume === 0 ? null : Number(window.sumCloseVolume) / priceScale / priceScale / volume,
    price_range: Number(window.maxClose - window.minClose) / priceScale,
    total_volume: volume,
    message_count: window.n,
  }
}

function isNear(value: number | null, expected: number | null): boolean {
  if (value === null || expected === null) return value === expected
  return Math.abs(value - expected) <= tolerance * Math.abs(expected)
}
