import type { AlertRow } from '../alert-rows.ts'
import { type Level, type Line, signed, span, type Tone } from '../line.ts'
import { ageText } from '../number-text.ts'
import type { MonitorData } from '../refresher.ts'
import { silenceChoices, type View } from '../view.ts'
import { worst } from './panel.ts'

/** The worst level of the alerts that are not silenced. */
export function alertsLevel(rows: readonly AlertRow[]): Level {
  return worst(rows.filter(({ silencedUntilMs }) => silencedUntilMs === null).map(({ level }) => level))
}

export function alertsTitle(rows: readonly AlertRow[]): Line {
  const firing = rows.filter(({ firedAtMs }) => firedAtMs !== null).length
  const found = rows.length - firing
  const parts = [firing > 0 ? `${firing} firing` : 'none firing', ...(found > 0 ? [`${found} found`] : [])]
  return [span('Alerts', 'heading'), span(` ${parts.join(', ')}`)]
}

/**
 * The lines of one page of alerts, including the selected one. Without a selection, the last line says how many more
 * there are.
 */
export function alertLines(data: MonitorData, rows: readonly AlertRow[], shown: AlertsShown): Line[] {
  const trouble: Line[] =
    data.alerts?.state === 'unknown' ? [[signed('unknown', `alerts unknown: ${data.alerts.reason}`)]] : []
  if (rows.length === 0) return trouble.length > 0 ? trouble : [[span(' no alerts', 'faint')]]
  const page = shown.page - trouble.length
  const top = shown.selected === null ? 0 : Math.max(0, Math.min(shown.selected - page + 1, rows.length - page))
  const lines = rows.slice(top, top + page).map((row, index) => alertLine(row, shown, top + index === shown.selected))
  const hidden = rows.length - top - page
  if (hidden > 0 && shown.selected === null) lines[page - 1] = [span(` and ${hidden + 1} more: press a`, 'faint')]
  return [...trouble, ...lines]
}

export interface AlertsShown {
  readonly page: number
  /** The index of the selected row; null if rows cannot be selected. */
  readonly selected: number | null
  readonly nowMs: number
}

function alertLine(row: AlertRow, { nowMs }: AlertsShown, isSelected: boolean): Line {
  const tone: Tone = isSelected ? 'selected' : 'plain'
  const since = row.firedAtMs === null ? 'now' : ageText((nowMs - row.firedAtMs) / 1000)
  const silenced = row.silencedUntilMs === null ? '' : ` silenced for ${ageText((row.silencedUntilMs - nowMs) / 1000)}`
  return [
    span(isSelected ? '>' : ' ', tone),
    { ...signed(row.level, ''), tone: silenced === '' ? row.level : 'faint' },
    span(`${row.rule} `, isSelected ? 'selected' : 'heading'),
    span(`${since}${silenced}: `, isSelected ? 'selected' : 'faint'),
    span(row.summary, tone),
  ]
}

/** `Silence KpiStale for 15 min [1 h] 4 h 24 h  ←→ choose  Enter silence  Esc cancel` */
export function silenceLine({ silencing }: View): Line {
  if (!silencing) return []
  const { alert, choice } = silencing
  const choices = silenceChoices.flatMap(({ text }, index) =>
    index === choice ? [span(' '), span(`[${text}]`, 'selected')] : [span(` ${text}`)],
  )
  return [
    span(`Silence ${alert.rule} for`, 'heading'),
    ...choices,
    span('  ←→ choose  Enter silence  Esc cancel', 'faint'),
  ]
}
