import { type Line, span } from '../line.ts'

const keys: readonly (readonly [string, string])[] = [
  ['1 2 3 4 5', 'Kafka, PostgreSQL, consumer, symbols, alerts alone; again, 0 or Esc: all'],
  ['↑ ↓ PgUp PgDn Home End', 'scroll'],
  ['← →', 'choose a column of the symbols'],
  ['s', 'sort by it; again: the other way round'],
  ['/', 'show symbols that hold a text; Enter keeps it, Esc clears it'],
  ['a', 'alerts: ↑ ↓ choose one, Enter silences it'],
  ['p', 'pause, and go on'],
  ['r', 'look now'],
  ['? h', 'this page'],
  ['q Ctrl-C', 'quit'],
  ['Ctrl-Z', 'stop for a while; fg comes back'],
]

const meanings = [
  '✓ fine   ! worth a look   ✗ broken   ? cannot be told',
  'Curves show the last looks, the newest at the right; · is a look that saw nothing.',
  'STALE: no look has come to an end for three intervals. What is shown is old.',
]

export function helpLines(): Line[] {
  return [
    ...keys.map(([key, meaning]): Line => [span(` ${key.padEnd(23)}`, 'heading'), span(meaning)]),
    [],
    ...meanings.map((text): Line => [span(` ${text}`)]),
  ]
}
