import { formatScaled } from '../../kpi/decimal.ts'
import type { PartialRow } from '../../kpi/reducer.ts'

/**
 * Partials as the array parameters of kpi_merge, in its order. Arrays travel as PostgreSQL's text form, which is built
 * here at once: none of these values can hold a character that would need quoting, symbols aside. All values of a column
 * have the same number of digits behind the point, so that what a column shows does not depend on which of two equal
 * values came first.
 *
 * @param decimals - The scale of the rows' prices and volumes; products have twice as many digits.
 */
export function partialColumns(rows: readonly PartialRow[], decimals: number): string[] {
  const price = (of: (row: PartialRow) => bigint) => column(rows, (row) => formatScaled(of(row), decimals))
  const product = (of: (row: PartialRow) => bigint) => column(rows, (row) => formatScaled(of(row), 2 * decimals))
  const whole = (of: (row: PartialRow) => number) => column(rows, of)
  return [
    textArray(rows.map((row) => row.symbol)),
    whole((row) => row.windowStartUs),
    whole((row) => row.n),
    price((row) => row.sumClose),
    product((row) => row.sumCloseSq),
    product((row) => row.sumCloseVolume),
    price((row) => row.sumVolume),
    price((row) => row.minClose),
    price((row) => row.maxClose),
    price((row) => row.high),
    price((row) => row.low),
    whole((row) => row.first.timestampUs),
    whole((row) => row.first.partition),
    whole((row) => row.first.offset),
    price((row) => row.first.price),
    whole((row) => row.last.timestampUs),
    whole((row) => row.last.partition),
    whole((row) => row.last.offset),
    price((row) => row.last.price),
    whole((row) => row.lateCount),
  ]
}

function column(rows: readonly PartialRow[], of: (row: PartialRow) => string | number): string {
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

/** V8 keeps a text that grows as a tree of its parts, several times its size: twenty columns of those filled the memory. */
const rowsPerPiece = 1000

/** A text[] in PostgreSQL's own notation; null stays NULL. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((v) => (v === null ? 'NULL' : `"${v.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`
}

/** A bytea[] in PostgreSQL's own notation. */
export function byteaArray(values: readonly (Uint8Array | null)[]): string {
  return `{${values.map((v) => (v === null ? 'NULL' : `"\\\\x${Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString('hex')}"`)).join(',')}}`
}

export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((v) => (v === null ? 'NULL' : v)).join(',')}}`
}
