// Keys on the screen itself, as Ink hands them over.
import { render } from 'ink-testing-library'
import { createElement as h } from 'react'
import { afterEach, expect, it, vi } from 'vitest'
import type { AlertRow } from '../../../src/monitor/alert-rows.ts'
import { App, type AppProps } from '../../../src/monitor/app.ts'
import type { MonitorData } from '../../../src/monitor/refresher.ts'
import { healthy } from '../observe/scene.ts'
import { alert, clock, dataOf, lookedAtMs, symbolsNamed, withSymbols } from './scene.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const keys = {
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  pageDown: '\u001b[6~',
  escape: '\u001b',
  enter: '\r',
}

function show(first: MonitorData, more: Partial<AppProps> = {}) {
  let data = first
  let steadyMs = lookedAtMs
  const listeners = new Set<() => void>()
  const asked: string[] = []
  const props: AppProps = {
    data: () => data,
    subscribe: (changed) => {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    clock: () => ({ ...clock, steadyMs }),
    setPaused: (isPaused) => change({ ...data, isPaused }),
    refresh: () => asked.push('refresh'),
    silence: async ({ rule }: AlertRow, seconds) => void asked.push(`silence ${rule} ${seconds}`),
    suspend: () => asked.push('suspend'),
    hasColours: false,
    ...more,
  }
  const change = (next: MonitorData) => {
    data = next
    for (const changed of listeners) changed()
  }
  const screen = render(h(App, props))
  cleanups.push(() => {
    screen.unmount()
    screen.cleanup()
  })
  const text = () => screen.lastFrame() ?? ''
  return {
    asked,
    change,
    later: (ms: number) => {
      steadyMs += ms
    },
    press: (key: string) => screen.stdin.write(key),
    sees: (wanted: string | RegExp) => vi.waitFor(() => expect(text()).toMatch(wanted), { timeout: 10_000 }),
    lacks: (unwanted: string) => vi.waitFor(() => expect(text()).not.toContain(unwanted), { timeout: 10_000 }),
  }
}

const many = symbolsNamed(Array.from({ length: 500 }, (_, index) => `SYM${String(index).padStart(3, '0')}`))

it('scrolls and filters 500 symbols', async () => {
  const screen = show(withSymbols(many))
  await screen.sees(/^SYM000/m)
  screen.press(keys.down)
  await screen.lacks('SYM000')
  screen.press(keys.pageDown)
  await screen.lacks('SYM001')
  screen.press('/')
  screen.press('4')
  screen.press('9')
  screen.press('9')
  await screen.sees('Symbols 1 of 500 /499_')
  screen.press(keys.enter)
  await screen.sees(/\/499 last 24 h/)
  screen.press(keys.escape)
  await screen.sees(/Symbols 500 last/)
})

it('sorts by the column that was chosen, and turns it round', async () => {
  const screen = show(withSymbols(many))
  screen.press(keys.right)
  screen.press('s')
  await screen.sees('by close ▼')
  screen.press('s')
  await screen.sees('by close ▲')
})

it('shows one panel, help, and all again', async () => {
  const screen = show(dataOf())
  screen.press('1')
  await screen.sees('Volume of broker 1')
  screen.press('?')
  await screen.sees('── Keys')
  screen.press('?')
  await screen.sees('Volume of broker 1')
  screen.press('1')
  await screen.sees('4 Symbols')
})

it('pauses and goes on, looks now, and leaves Ctrl-Z to the terminal', async () => {
  const screen = show(dataOf())
  screen.press('p')
  await screen.sees('PAUSED')
  screen.press('p')
  await screen.lacks('PAUSED')
  screen.press('r')
  await screen.sees('looking …')
  screen.press('\u001a')
  await vi.waitFor(() => expect(screen.asked).toEqual(['refresh', 'suspend']))
})

it('silences the alert that was chosen, for an hour unless told otherwise', async () => {
  const firing = [alert('KpiStale'), alert('FeedSilent', { severity: 'critical' })]
  const screen = show(dataOf(healthy(), { alerts: { state: 'ok', firing } }))
  await screen.sees('5 Alerts 2 firing ✗')
  screen.press('a')
  await screen.sees('>✗ FeedSilent')
  screen.press(keys.down)
  await screen.sees('>! KpiStale')
  screen.press(keys.enter)
  await screen.sees(/Silence KpiStale for .*\[1 h\]/)
  screen.press(keys.enter)
  await screen.sees('KpiStale is silenced for 1 h')
  expect(screen.asked).toEqual(['silence KpiStale 3600'])
})

it('says why an alert could not be silenced', async () => {
  const silence = () => Promise.reject(new Error('permission denied'))
  const screen = show(dataOf(healthy(), { alerts: { state: 'ok', firing: [alert('KpiStale')] } }), { silence })
  screen.press('a')
  screen.press(keys.enter)
  await screen.sees('Silence KpiStale')
  screen.press(keys.enter)
  await screen.sees('not silenced: permission denied')
})

it('counts the age of what it shows by itself, and calls it stale (beszel#1876)', async () => {
  const screen = show(dataOf())
  await screen.sees('data 0 s old')
  screen.later(7000)
  await screen.sees('data 7 s old')
  screen.later(60_000)
  await screen.sees('STALE: data 67 s old')
})

it('shows what a new look found', async () => {
  const screen = show({ ...dataOf(), observation: null })
  await screen.sees('waiting for the first check')
  screen.change(dataOf())
  await screen.sees('all systems operational')
})
