import { formatScaled } from '../../kpi/decimal.ts'
import type { PartialRow } from '../../kpi/partial.ts'
import { namedCallSql, textArray } from '../client/sql-values.ts'
import { type MergedColumn, mergedColumns } from './window-columns.ts'

/** The parameters of kpi_merge and kpi_commit that carry partials, in the order of {@link mergeValues}. */
export const mergeParameters: readonly string[] = mergedColumns.map(({ parameter }) => parameter)

/**
 * Partials as one array per parameter. All values of a column have the same number of fractional digits, so that the
 * text of a stored number does not depend on which of two equal values came first.
 *
 * @param decimals - The scale of the rows' prices and volumes; products have twice as many digits.
 */
export function mergeValues(rows: readonly PartialRow[], decimals: number): string[] {
  return mergedColumns.map((column) => columnArray(rows, column, decimals))
}

const mergeSql = `SELECT ${namedCallSql('kpi_merge', ['p_window_seconds', ...mergeParameters])}`

/** The statement that merges partials into their windows; one partial per symbol and window. */
export function mergeStatement(
  rows: readonly PartialRow[],
  { windowSeconds, decimals }: { windowSeconds: number; decimals: number },
): { text: string; values: unknown[] } {
  return { text: mergeSql, values: [windowSeconds, ...mergeValues(rows, decimals)] }
}

function columnArray(rows: readonly PartialRow[], column: MergedColumn, decimals: number): string {
  switch (column.type) {
    case 'text':
      return textArray(rows.map(column.value))
    case 'price':
      return plainArray(rows, (row) => formatScaled(column.value(row), decimals))
    case 'product':
      return plainArray(rows, (row) => formatScaled(column.value(row), 2 * decimals))
    default:
      return plainArray(rows, column.value)
  }
}

/** An array of values that need no quoting. */
function plainArray(rows: readonly PartialRow[], of: (row: PartialRow) => string | number): string {
  const pieces: string[] = []
  let text = ''
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (row) text += i === 0 ? of(row) : `,${of(row)}`
    if ((i + 1) % rowsPerPiece > 0) continue
    pieces.push(text)
    text = ''
  }
  pieces.push(text)
  return `{${pieces.join('')}}`
}

/**
 * V8 keeps a string that is built by appending as a tree of its parts, several times the size of the string. Twenty such
 * columns filled the memory, so the string is flattened every thousand rows.
 */
const rowsPerPiece = 1000
