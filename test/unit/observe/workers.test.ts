import { expect, it } from 'vitest'
import type { WorkerState } from '../../../src/observe/snapshot.ts'
import { liveWorkers, shownWorkers } from '../../../src/observe/workers.ts'
import { nowMs, thresholds, worker } from './scene.ts'

const words = (...workers: WorkerState[]) =>
  shownWorkers(workers, thresholds()).map(({ worker: { workerId }, word }) => `${workerId} ${word}`)

it('a worker whose successor has started is gone, however lately it was heard of', () => {
  const dead = worker('a', { place: 'here 1', seenAgoSeconds: 4 })
  const next = worker('b', { place: 'here 1', seenAgoSeconds: 1, startedAtMs: nowMs - 3000 })
  expect(words(dead, next)).toEqual(['a gone', 'b reading'])
  expect(liveWorkers([dead, next], 'consumer', thresholds())).toEqual([next])
})

it('two workers of one machine are two places', () => {
  const [one, two] = [worker('a', { place: 'here 1' }), worker('b', { place: 'here 2', startedAtMs: nowMs - 3000 })]
  expect(words(one, two)).toEqual(['a reading', 'b reading'])
})

it.each([
  ['heard of 30 s ago', { seenAgoSeconds: 30 }, ['a reading']],
  ['heard of 31 s ago', { seenAgoSeconds: 31 }, ['a gone']],
  ['gone for ten minutes', { seenAgoSeconds: 600 }, ['a gone']],
  ['gone for longer', { seenAgoSeconds: 601 }, []],
  ['stopped', { seenAgoSeconds: 5, stoppedAtMs: nowMs, workerState: 'stopped' }, ['a stopped']],
  ['stopped long ago', { seenAgoSeconds: 601, stoppedAtMs: nowMs, workerState: 'stopped' }, []],
])('one that was %s is shown as %j', (_, more, expected) => {
  expect(words(worker('a', more))).toEqual(expected)
})
