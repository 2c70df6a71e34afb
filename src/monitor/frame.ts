// Builds the whole screen as rows of text: a pure function of the data, the view, the size and the time.
import { type AlertRow, alertRows } from './alert-rows.ts'
import { beside, fitLine, headingLine, type Level, type Line, signed, signs, span } from './line.ts'
import { alertLines, alertsLevel, alertsTitle, silenceLine } from './panels/alerts.ts'
import { consumerPanel } from './panels/consumer.ts'
import { type Clock, headerLines } from './panels/header.ts'
import { helpLines } from './panels/help.ts'
import { kafkaPanel } from './panels/kafka.ts'
import type { PanelText } from './panels/panel.ts'
import { postgresPanel } from './panels/postgres.ts'
import { symbolLines, symbolsTitle } from './panels/symbols.ts'
import type { MonitorData } from './refresher.ts'
import { type SymbolRow, symbolRows } from './symbol-rows.ts'
import type { Extent, View } from './view.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Frame {
  /** One line for each row of the terminal, each as wide as the terminal. */
  readonly lines: readonly Line[]
  readonly extent: Extent
}

const smallest: Size = { columns: 60, rows: 15 }
/** From this number of rows on, each panel in the overview has three lines instead of one. */
const roomyRows = 22
const headerRows = 2
const footerRows = 1

interface Scene {
  readonly data: MonitorData
  readonly view: View
  readonly size: Size
  readonly clock: Clock
  readonly symbols: readonly SymbolRow[]
  readonly alerts: readonly AlertRow[]
}

export function frameOf(data: MonitorData, view: View, size: Size, clock: Clock): Frame {
  const alerts = alertRows(data)
  const symbols = data.statistics?.state === 'ok' ? symbolRows(data.statistics.symbols, view.filter, view.sort) : []
  const scene: Scene = { data, view, size, clock, alerts, symbols }
  if (size.columns < smallest.columns || size.rows < smallest.rows) return tooSmall(scene)
  const room = size.rows - headerRows - footerRows
  const { lines, ...extent } = view.isHelp ? scrollable(scene, helpHeading(size), helpLines()) : body(scene, room)
  const header = headerLines(data, clock, size.columns)
  const filled = Array.from({ length: room }, (_, row) => lines[row] ?? [])
  const screen = [...header, ...filled, footer(scene)]
  return {
    lines: screen.map((line) => fitLine(line, size.columns)),
    extent: { ...noExtent, symbols: symbols.length, alerts, ...extent },
  }
}

const noExtent = { symbols: 0, symbolPage: 1, panelLines: 0, panelPage: 1, alerts: [] }

function tooSmall({ size, alerts, symbols }: Scene): Frame {
  const { columns, rows } = size
  const lines: Line[] = [
    [span('The terminal is too small.', 'heading')],
    [span(`It has ${columns}×${rows};`)],
    [span(`${smallest.columns}×${smallest.rows} is needed.`)],
    [span('q quits', 'faint')],
  ]
  const shown = Array.from({ length: Math.max(1, rows) }, (_, row) => fitLine(lines[row] ?? [], columns))
  return { lines: shown, extent: { ...noExtent, alerts, symbols: symbols.length } }
}

type Body = { readonly lines: readonly Line[] } & Partial<Extent>

function body(scene: Scene, room: number): Body {
  switch (scene.view.panel) {
    case null:
      return overview(scene, room)
    case 'symbols':
      return symbolsPart(scene, room)
    case 'alerts':
      return alertsPart(scene, room)
    default:
      return aloneBody(scene, scene.view.panel)
  }
}

function overview(scene: Scene, room: number): Body {
  const perPanel = scene.size.rows >= roomyRows ? 3 : 1
  const alertRoom = perPanel === 1 ? 1 : Math.max(2, Math.min(scene.alerts.length, Math.floor(room / 4)))
  const width = scene.size.columns
  const half = Math.floor((width - 1) / 2)
  const servers = beside(
    summaryLines(scene, 'kafka', perPanel, half),
    summaryLines(scene, 'postgres', perPanel, width - half - 1),
    width,
  )
  const above = [...servers, ...summaryLines(scene, 'consumer', perPanel, width)]
  const symbolRoom = room - above.length - alertRoom - 1
  const { lines, ...extent } = symbolsPart(scene, symbolRoom)
  const filled = Array.from({ length: symbolRoom }, (_, row) => lines[row] ?? [])
  return { lines: [...above, ...filled, ...alertsPart(scene, alertRoom + 1).lines], ...extent }
}

type PanelName = 'kafka' | 'postgres' | 'consumer'
const panelNumbers = { kafka: 1, postgres: 2, consumer: 3, symbols: 4, alerts: 5 } as const
const panelTitles: Readonly<Record<PanelName, string>> = {
  kafka: 'Kafka',
  postgres: 'PostgreSQL',
  consumer: 'Consumer',
}

function panelText({ data }: Scene, panel: PanelName, width: number): PanelText {
  const { observation, samples } = data
  if (!observation) {
    const nothing: Line = [span(' not checked yet', 'faint')]
    return { title: panelTitles[panel], level: 'unknown', summary: [nothing], detail: [nothing] }
  }
  if (panel === 'kafka') return kafkaPanel(observation, width)
  if (panel === 'postgres') return postgresPanel(observation, width)
  return consumerPanel(observation, { samples, width })
}

function summaryLines(scene: Scene, panel: PanelName, count: number, width: number): Line[] {
  const { title, level, summary } = panelText(scene, panel, width)
  const lines = Array.from({ length: count }, (_, row) => summary[row] ?? [])
  return [numbered(panel, level, [span(title, 'heading')], width), ...lines]
}

/** `── 1 Kafka ✓ ─────` */
function numbered(panel: keyof typeof panelNumbers, level: Level | null, title: Line, width: number): Line {
  const sign: Line = level === null ? [] : [span(` ${signs[level]}`, level)]
  return headingLine([span(`${panelNumbers[panel]} `, 'faint'), ...title, ...sign], width)
}

function symbolsPart({ data, view, size, clock, symbols }: Scene, room: number): Body {
  const symbolPage = Math.max(1, room - 2)
  const table = { rows: symbols, width: size.columns, page: symbolPage, nowMs: clock.wallMs }
  const heading = numbered('symbols', null, symbolsTitle(data, view, symbols.length), size.columns)
  return { lines: [heading, ...symbolLines(data, view, table)], symbolPage }
}

function alertsPart({ data, view, size, clock, alerts }: Scene, room: number): Body {
  const isAlone = view.panel === 'alerts'
  const selected = isAlone && alerts.length > 0 ? Math.min(view.alertIndex, alerts.length - 1) : null
  const heading = numbered('alerts', alertsLevel(alerts), alertsTitle(alerts), size.columns)
  return { lines: [heading, ...alertLines(data, alerts, { page: room - 1, selected, nowMs: clock.wallMs })] }
}

function aloneBody(scene: Scene, panel: PanelName): Body {
  const { title, level, detail } = panelText(scene, panel, scene.size.columns)
  return scrollable(scene, numbered(panel, level, [span(title, 'heading')], scene.size.columns), detail)
}

function helpHeading({ columns }: Size): Line {
  return headingLine([span('Keys', 'heading')], columns)
}

function scrollable({ view, size }: Scene, heading: Line, lines: readonly Line[]): Body {
  const panelPage = size.rows - headerRows - footerRows - 1
  const top = Math.max(0, Math.min(view.panelTop, lines.length - panelPage))
  return { lines: [heading, ...lines.slice(top, top + panelPage)], panelLines: lines.length, panelPage }
}

function footer({ view, data }: Scene): Line {
  if (view.silencing) return silenceLine(view)
  if (view.notice !== '') return [span(view.notice, 'heading')]
  if (view.isFiltering) return [span('type a part of a symbol   Enter keep   Esc clear', 'faint')]
  if (view.panel === 'alerts' && !view.isHelp) {
    return [span('↑↓ choose  Enter silence  Esc all panels  ? help  q quit', 'faint')]
  }
  const pause: Line = data.isPaused ? [signed('warning', 'p resume')] : [span('p pause', 'faint')]
  return [
    span('? help  q quit  ', 'faint'),
    ...pause,
    span('  r check now  1-5 panels  / filter  ←→ s sort  a alerts', 'faint'),
  ]
}
