import { Box, type Key, Text, useApp, useInput, useWindowSize } from 'ink'
import { createElement as h, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { messageOf } from '../errors.ts'
import type { AlertRow } from './alert-rows.ts'
import { frameOf } from './frame.ts'
import type { Line, Span, Tone } from './line.ts'
import type { Clock } from './panels/header.ts'
import type { MonitorData } from './refresher.ts'
import { type Action, firstView, type KeyName, type Press, pressed, silenceChoices, type View } from './view.ts'

/** The parts of the monitor that the screen uses. */
export interface AppProps {
  readonly data: () => MonitorData
  /** Calls `changed` after every change of the data, until the returned function is called. */
  readonly subscribe: (changed: () => void) => () => void
  readonly clock: () => Clock
  readonly setPaused: (isPaused: boolean) => void
  readonly refresh: () => void
  readonly silence: (alert: AlertRow, seconds: number) => Promise<void>
  /** Called for Ctrl-Z. */
  readonly suspend: () => void
  readonly hasColours: boolean
}

/** The screen is redrawn every second, since ages are shown in seconds. */
const tickMs = 1000

export function App(props: AppProps): ReactNode {
  const { columns, rows } = useWindowSize()
  const data = useSyncExternalStore(props.subscribe, props.data)
  const [view, setView] = useState(firstView)
  useTick()
  const frame = frameOf(data, view, { columns, rows }, props.clock())
  // Keys may arrive faster than the screen is drawn, so each key starts from the view that the previous one left.
  const latest = useRef({ view, extent: frame.extent })
  latest.current = { view, extent: frame.extent }
  const show = (next: View) => {
    latest.current = { ...latest.current, view: next }
    setView(next)
  }
  const fulfil = useActions(props, (notice) => show({ ...latest.current.view, notice }))
  useInput((input, key) => {
    if (key.ctrl && input === 'c') return fulfil({ kind: 'quit' })
    if (key.ctrl && input === 'z') return props.suspend()
    const press = pressOf(input, key)
    if (!press) return
    const result = pressed(latest.current.view, press, latest.current.extent)
    show(result.view)
    if (result.action) fulfil(result.action)
  })
  return h(
    Box,
    { flexDirection: 'column', width: columns, height: rows },
    // A row is identified by its position only.
    frame.lines.map((line, row) => h(LineText, { key: `row ${row}`, line, hasColours: props.hasColours })),
  )
}

function useTick(): void {
  const [, setTicks] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setTicks((ticks) => ticks + 1), tickMs)
    return () => clearInterval(timer)
  }, [])
}

function useActions(props: AppProps, tell: (notice: string) => void): (action: Action) => void {
  const { exit } = useApp()
  return (action) => {
    if (action.kind === 'silence') {
      const { alert, seconds } = action
      props.silence(alert, seconds).then(
        () => tell(`${alert.rule} is silenced for ${choiceText(seconds)}`),
        (error: unknown) => tell(`not silenced: ${messageOf(error)}`),
      )
    } else if (action.kind === 'quit') exit()
    else if (action.kind === 'pause') props.setPaused(!props.data().isPaused)
    else {
      props.refresh()
      tell('looking …')
    }
  }
}

function choiceText(wanted: number): string {
  return silenceChoices.find(({ seconds }) => seconds === wanted)?.text ?? `${wanted} s`
}

function pressOf(input: string, key: Key): Press | undefined {
  const name = keyNames.find(([, is]) => key[is])?.[0]
  if (name) return { name }
  return input === '' || key.ctrl || key.meta || key.tab ? undefined : { text: input }
}

const keyNames = [
  ['up', 'upArrow'],
  ['down', 'downArrow'],
  ['left', 'leftArrow'],
  ['right', 'rightArrow'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'return'],
  ['escape', 'escape'],
  // Depending on the terminal, the same key is reported as one or the other.
  ['backspace', 'backspace'],
  ['backspace', 'delete'],
] as const satisfies (readonly [KeyName, keyof Key])[]

function LineText({ line, hasColours }: { line: Line; hasColours: boolean }): ReactNode {
  return h(
    Text,
    { wrap: 'truncate' },
    line.map((span, index) => spanText(span, index, hasColours)),
  )
}

/**
 * Blue and orange can be distinguished with every kind of colour blindness, as can bold and dim. Signs are shown too.
 */
const styles: Readonly<Record<Tone, Readonly<Record<string, string | boolean>>>> = {
  plain: {},
  good: { color: 'blueBright' },
  warning: { color: '#ffaf00' },
  critical: { color: '#ff8700', bold: true },
  unknown: { color: 'magentaBright' },
  faint: { dimColor: true },
  heading: { bold: true },
  selected: { inverse: true },
}
/** NO_COLOR (https://no-color.org) disables colours only, so bold, dim and inverse remain. */
const colourless: Partial<typeof styles> = { good: {}, warning: {}, critical: { bold: true }, unknown: {} }

function spanText({ text, tone }: Span, index: number, hasColours: boolean): ReactNode {
  const style = hasColours ? styles[tone] : (colourless[tone] ?? styles[tone])
  return h(Text, { key: index, ...style }, text)
}
