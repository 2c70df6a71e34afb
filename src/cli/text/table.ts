import { styleText } from 'node:util'
import { isColourful } from '../command.ts'

export interface TableColumn {
  readonly title: string
  /** Use `right` for numbers. @defaultValue left */
  readonly align?: 'left' | 'right'
}

/**
 * Lines of aligned columns with their titles, separated by two spaces. Only the last column may contain colour codes.
 */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, i) => {
        const cell = cells[i] ?? ''
        return align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)
      })
      .join('  ')
      .trimEnd()
  return [columns.map(({ title }) => title), ...rows].map((cells) => `${line(cells)}\n`).join('')
}

type Colour = 'green' | 'yellow' | 'red'

/** Colours a text for stdout, if stdout supports colours. */
export function paint(colour: Colour, text: string): string {
  return isColourful(process.stdout) ? styleText(colour, text, { validateStream: false }) : text
}
