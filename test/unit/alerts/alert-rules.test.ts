import { expect, it } from 'vitest'
import { timingsAt } from '../../../src/alerts/alert-rules.ts'

it.each([
  ['the usual looks', 15_000, 15_000],
  ['looks that are more frequent than reports of workers', 2000, 10_000],
])('a pool has to be full in two reports of its worker, at %s', (_, intervalMs, forMs) => {
  expect(timingsAt(intervalMs, new Map())('PoolSaturated')).toMatchObject({ forMs, keepFiringForMs: 4 * intervalMs })
})

it('a fact and a rule of one’s own wait for no more looks than they say', () => {
  const timingOf = timingsAt(15_000, new Map([['Slow', 60_000]]))
  expect(['TopicMissing', 'NoConsumer', 'Watchdog', 'Slow'].map((rule) => timingOf(rule).forMs)).toEqual([
    0, 15_000, 0, 60_000,
  ])
})
