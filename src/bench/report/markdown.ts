import { spreadOf } from './statistics.ts'

/** A Markdown table: text aligned left, numbers aligned right. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const rule = line(titles.map((_, index) => (index === 0 ? '---' : '---:')))
  return line(titles) + rule + rows.map(line).join('')
}

/** Formats 1234567.8 as 1,234,568; a dash for a missing figure. */
export function whole(value: number): string {
  return fixed(value, 0)
}

export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '–'
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${fixed(share * 100, 1)} %` : '–'
}

/** The median and the range of the values. */
export function spread(values: readonly number[], digits = 0): string {
  const { median, lowest, highest } = spreadOf(values)
  if (values.length < 2) return fixed(median, digits)
  return `${fixed(median, digits)} (${fixed(lowest, digits)} to ${fixed(highest, digits)})`
}
