import type { Assessment } from '../observe/assess.ts'
import type { Finding } from '../observe/finding.ts'
import { clean, cutTo, padTo, widthOf } from './cell-text.ts'

/** The meaning of a piece of text, which decides its colour. Colour never is the only sign of a meaning. */
export type Tone = 'plain' | 'good' | 'warning' | 'critical' | 'unknown' | 'faint' | 'heading' | 'selected'

export interface Span {
  readonly text: string
  readonly tone: Tone
}

/** One row of the screen. */
export type Line = readonly Span[]

export type Level = 'good' | 'warning' | 'critical' | 'unknown'

/** Shown beside colours, for people who cannot distinguish them and for terminals without colours. */
export const signs: Readonly<Record<Level, string>> = { good: '✓', warning: '!', critical: '✗', unknown: '?' }

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: clean(text), tone }
}

/** A sign and a text of one tone. */
export function signed(level: Level, text: string): Span {
  return span(`${signs[level]} ${text}`, level)
}

export const verdictLevels: Readonly<Record<Assessment['verdict'], Level>> = {
  ok: 'good',
  warning: 'warning',
  critical: 'critical',
  unknown: 'unknown',
}

export function levelOf({ severity, isUnknown }: Pick<Finding, 'severity' | 'isUnknown'>): Level {
  if (isUnknown) return 'unknown'
  return severity === 'info' ? 'good' : severity
}

function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0)
}

/** A line of exactly `width` cells: cut, or padded with spaces. */
export function fitLine(line: Line, width: number): Line {
  const fitted: Span[] = []
  let rest = width
  for (const { text, tone } of line) {
    if (rest <= 0) break
    const cut = cutTo(text, rest)
    fitted.push({ text: cut, tone })
    rest -= widthOf(cut)
    if (cut !== text) break
  }
  if (rest > 0) fitted.push({ text: ' '.repeat(rest), tone: 'plain' })
  return fitted
}

/** Two texts at the left and right end of a row. If they are too long, the left one is cut. */
export function justified(left: Line, right: Line, width: number): Line {
  const room = Math.max(0, width - lineWidth(right) - 1)
  return fitLine([...fitLine(left, room), { text: ' ', tone: 'plain' }, ...right], width)
}

/** `── 1 Kafka ✓ ─────────`, the heading of a panel. */
export function headingLine(title: Line, width: number): Line {
  const rest = Math.max(0, width - 4 - lineWidth(title))
  return fitLine([{ text: '── ', tone: 'faint' }, ...title, { text: ` ${'─'.repeat(rest)}`, tone: 'faint' }], width)
}

/** Puts the lines of two panels side by side, with a space between them. */
export function beside(left: readonly Line[], right: readonly Line[], width: number): Line[] {
  const half = Math.floor((width - 1) / 2)
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => [
    ...fitLine(left[row] ?? [], half),
    { text: ' ', tone: 'plain' as const },
    ...fitLine(right[row] ?? [], width - half - 1),
  ])
}

export interface Column {
  readonly title: string
  readonly width: number
  readonly align?: 'left' | 'right'
}

/** One row of a table: each cell padded to the width of its column, with a space between them. */
export function cells(columns: readonly Column[], texts: readonly string[]): string {
  return columns.map(({ width, align }, index) => padTo(clean(texts[index] ?? ''), width, align)).join(' ')
}
