// The state of the user interface, and how each key changes it. Pure: the screen depends on data, view and size only.
import type { AlertRow } from './alert-rows.ts'
import { clean } from './cell-text.ts'
import { firstSort, type Sort, type SortKey, sortKeys } from './symbol-rows.ts'

export const panels = ['kafka', 'postgres', 'consumer', 'symbols', 'alerts'] as const
export type Panel = (typeof panels)[number]

export interface View {
  /** The panel that is shown on the full screen; null to show all panels. */
  readonly panel: Panel | null
  readonly isHelp: boolean
  readonly sort: Sort
  /** The chosen column, which `s` sorts by. */
  readonly column: SortKey
  readonly filter: string
  readonly isFiltering: boolean
  /** The first row shown of the symbols; `panelTop` is that of a panel on the full screen. */
  readonly symbolTop: number
  readonly panelTop: number
  readonly alertIndex: number
  readonly silencing: { readonly alert: AlertRow; readonly choice: number } | null
  /** The result of the last action, shown until the next key press. */
  readonly notice: string
}

export const firstView: View = {
  panel: null,
  isHelp: false,
  sort: { key: 'symbol', isDescending: false },
  column: 'symbol',
  filter: '',
  isFiltering: false,
  symbolTop: 0,
  panelTop: 0,
  alertIndex: 0,
  silencing: null,
  notice: '',
}

export const silenceChoices = [
  { text: '15 min', seconds: 900 },
  { text: '1 h', seconds: 3_600 },
  { text: '4 h', seconds: 14_400 },
  { text: '24 h', seconds: 86_400 },
] as const
const defaultChoice = 1
/** The maximum length of a symbol. */
const maxFilterLength = 32

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'return'
  | 'escape'
  | 'backspace'

/** A named key, or typed text. */
export type Press = { readonly name: KeyName } | { readonly text: string }

/** The number of rows to scroll through, and how many of them fit on the screen. */
export interface Extent {
  readonly symbols: number
  readonly symbolPage: number
  readonly panelLines: number
  readonly panelPage: number
  readonly alerts: readonly AlertRow[]
}

/** An action that a key starts, besides changing the view. */
export type Action =
  | { readonly kind: 'quit' | 'pause' | 'refresh' }
  | { readonly kind: 'silence'; readonly alert: AlertRow; readonly seconds: number }

export interface Pressed {
  readonly view: View
  readonly action?: Action
}

/** Returns the view after a key press, and the action that the key starts. */
export function pressed(before: View, press: Press, extent: Extent): Pressed {
  const view = before.notice === '' ? before : { ...before, notice: '' }
  if (view.isFiltering) return { view: filterPressed(view, press) }
  if (view.silencing) return silencePressed(view, view.silencing, press)
  if ('name' in press) return { view: namedPressed(view, press.name, extent) }
  // Several letters arrive as one text if they are typed faster than they are read.
  let state: Pressed = { view }
  for (const letter of press.text) {
    if (state.view.isFiltering) state = { ...state, view: filterPressed(state.view, { text: letter }) }
    else state = { ...letterPressed(state.view, letter), ...(state.action ? { action: state.action } : {}) }
  }
  return state
}

function filterPressed(view: View, press: Press): View {
  if ('text' in press) {
    const typed = clean(press.text).replaceAll(' ', '')
    return { ...view, filter: (view.filter + typed).slice(0, maxFilterLength), symbolTop: 0 }
  }
  if (press.name === 'backspace') return { ...view, filter: view.filter.slice(0, -1), symbolTop: 0 }
  if (press.name === 'escape') return { ...view, filter: '', isFiltering: false, symbolTop: 0 }
  if (press.name === 'return') return { ...view, isFiltering: false }
  return view
}

function silencePressed(view: View, silencing: NonNullable<View['silencing']>, press: Press): Pressed {
  const { alert, choice } = silencing
  const moveTo = (index: number) => ({
    view: { ...view, silencing: { alert, choice: clamp(index, silenceChoices.length - 1) } },
  })
  if ('text' in press) return { view }
  if (press.name === 'left' || press.name === 'up') return moveTo(choice - 1)
  if (press.name === 'right' || press.name === 'down') return moveTo(choice + 1)
  if (press.name === 'escape') return { view: { ...view, silencing: null } }
  if (press.name !== 'return') return { view }
  const seconds = silenceChoices[choice]?.seconds ?? silenceChoices[defaultChoice].seconds
  return { view: { ...view, silencing: null }, action: { kind: 'silence', alert, seconds } }
}

function letterPressed(view: View, letter: string): Pressed {
  const panel = panels[Number(letter) - 1]
  if (panel) return { view: shown(view, view.panel === panel ? null : panel) }
  switch (letter) {
    case 'q':
      return { view, action: { kind: 'quit' } }
    case 'p':
      return { view, action: { kind: 'pause' } }
    case 'r':
      return { view, action: { kind: 'refresh' } }
    case '?':
    case 'h':
      return { view: { ...view, isHelp: !view.isHelp } }
    case 'a':
      return { view: shown(view, view.panel === 'alerts' ? null : 'alerts') }
    case '0':
      return { view: shown(view, null) }
    case '/':
      return { view: { ...view, isHelp: false, isFiltering: true, panel: view.panel === 'symbols' ? 'symbols' : null } }
    case 's':
      return { view: sorted(view) }
    default:
      return { view }
  }
}

function shown(view: View, panel: Panel | null): View {
  return { ...view, panel, isHelp: false, panelTop: 0 }
}

/** Sorts by the chosen column; if it is sorted by that already, reverses the order. */
function sorted(view: View): View {
  const { sort, column } = view
  const next = sort.key === column ? { ...sort, isDescending: !sort.isDescending } : firstSort(column)
  return { ...view, sort: next, symbolTop: 0 }
}

function namedPressed(view: View, name: KeyName, extent: Extent): View {
  if (name === 'escape') return escaped(view)
  if (view.panel === 'alerts') return alertsPressed(view, name, extent.alerts)
  if (name === 'left' || name === 'right') return columnMoved(view, name === 'left' ? -1 : 1)
  if (view.panel === null || view.panel === 'symbols') {
    const { symbolPage, symbols } = extent
    return { ...view, symbolTop: scrolled(view.symbolTop, name, { page: symbolPage, count: symbols }) }
  }
  const { panelPage, panelLines } = extent
  return { ...view, panelTop: scrolled(view.panelTop, name, { page: panelPage, count: panelLines }) }
}

/** Goes one step back: closes the help, else the full-screen panel, else clears the filter. */
function escaped(view: View): View {
  if (view.isHelp) return { ...view, isHelp: false }
  if (view.panel !== null) return shown(view, null)
  return { ...view, filter: '', symbolTop: 0 }
}

function alertsPressed(view: View, name: KeyName, alerts: readonly AlertRow[]): View {
  const index = clamp(view.alertIndex, alerts.length - 1)
  const alert = alerts[index]
  if (name === 'return') return alert ? { ...view, silencing: { alert, choice: defaultChoice } } : view
  const steps: Partial<Record<KeyName, number>> = { up: -1, down: 1, pageUp: -10, pageDown: 10 }
  return { ...view, alertIndex: clamp(index + (steps[name] ?? 0), alerts.length - 1) }
}

function columnMoved(view: View, step: number): View {
  const column = sortKeys[clamp(sortKeys.indexOf(view.column) + step, sortKeys.length - 1)] ?? view.column
  return { ...view, column }
}

function scrolled(top: number, name: KeyName, { page, count }: { page: number; count: number }): number {
  const last = Math.max(0, count - page)
  const steps: Partial<Record<KeyName, number>> = {
    up: -1,
    down: 1,
    pageUp: -Math.max(1, page - 1),
    pageDown: Math.max(1, page - 1),
    home: -count,
    end: count,
  }
  return clamp(Math.min(top, last) + (steps[name] ?? 0), last)
}

function clamp(value: number, highest: number): number {
  return Math.max(0, Math.min(value, highest))
}
