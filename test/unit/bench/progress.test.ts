import { expect, it } from 'vitest'
import { Progress, stepLog } from '../../../src/bench/progress.ts'
import { RecordingLog } from '../../recording-log.ts'

it('shows what is done, what goes on, and how long the rest will take by the mean so far', () => {
  const log = new RecordingLog()
  let nowMs = 0
  const progress = new Progress(log, 4, () => nowMs)
  progress.start('measuring throughput')
  nowMs = 6000
  progress.beat()
  progress.step('a broker and a database run')
  nowMs = 10_000
  stepLog(progress, log).info('narrow: 1000000 messages/s')
  nowMs = 14_000
  progress.beat()
  nowMs = 15_000
  progress.step('wide: 500000 messages/s')
  nowMs = 20_000
  progress.step('wide, plain fetch: 2000000 messages/s')
  progress.beat()
  progress.stop()
  expect(log.lines).toEqual([
    'info: measuring throughput: 4 steps, the first starts the servers',
    'info: [0/4] step 1 has taken 6 s so far',
    'info: [1/4] a broker and a database run',
    'info: [2/4, about 10 s left] narrow: 1000000 messages/s',
    'info: [2/4, about 6 s left] step 3 has taken 4 s so far',
    'info: [3/4, about 5 s left] wide: 500000 messages/s',
    'info: [4/4] wide, plain fetch: 2000000 messages/s',
  ])
})
