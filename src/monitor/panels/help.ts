import { type Line, span } from '../line.ts'

const keys: readonly (readonly [string, string])[] = [
  ['1 2 3 4 5', 'one panel alone; again, 0 or Esc: all'],
  ['↑ ↓ PgUp PgDn', 'scroll; Home and End too'],
  ['← →', 'choose a column of the symbols'],
  ['s', 'sort by it; again: the other way'],
  ['/', 'symbols that hold a text; Esc clears'],
  ['a', 'alerts: ↑ ↓ choose, Enter silences'],
  ['p', 'pause, resume'],
  ['r', 'check now'],
  ['? h', 'this page'],
  ['q Ctrl-C', 'quit'],
  ['Ctrl-Z', 'stop for a while; fg comes back'],
]

const meanings = [
  '✓ OK   ! warning   ✗ broken   ? unknown',
  'Curves show the last checks; · had no value.',
  'STALE: no check has completed for a while; the values shown are old.',
]

export function helpLines(): Line[] {
  return [
    ...keys.map(([key, meaning]): Line => [span(` ${key.padEnd(15)}`, 'heading'), span(meaning)]),
    [],
    ...meanings.map((text): Line => [span(` ${text}`)]),
  ]
}
