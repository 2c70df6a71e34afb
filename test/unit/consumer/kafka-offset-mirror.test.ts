import { expect, it } from 'vitest'
import { KafkaOffsetMirror } from '../../../src/consumer/kafka-offset-mirror.ts'
import { RecordingLog } from '../../recording-log.ts'
import { SimulatedClock } from '../../simulated-clock.ts'

function scene(answers: (Error | undefined | Promise<void>)[]) {
  const clock = new SimulatedClock()
  const log = new RecordingLog()
  const commits: [number, number][][] = []
  const commit = async (offsets: ReadonlyMap<number, number>) => {
    commits.push([...offsets])
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    await answer
  }
  return { clock, log, commits, mirror: new KafkaOffsetMirror({ commit, log, clock }) }
}

it('tries a failed commit again although no further message arrives', async () => {
  const { clock, log, commits, mirror } = scene([new Error('NOT_COORDINATOR'), new Error('NOT_COORDINATOR'), undefined])
  mirror.note(5, 86_491)
  expect(await clock.runUntil(() => commits.length === 3, 10_000)).toBe(true)
  expect(commits).toEqual([[[5, 86_491]], [[5, 86_491]], [[5, 86_491]]])
  expect(await clock.runUntil(() => commits.length > 3, 60_000)).toBe(false)
  expect(log.lines).toEqual(['info: offsets are not committed to Kafka for now: NOT_COORDINATOR'])
})

it('commits the newest offset when a commit failed while more was written', async () => {
  const { clock, commits, mirror } = scene([new Error('timeout'), undefined])
  mirror.note(0, 10)
  mirror.note(1, 20)
  expect(await clock.runUntil(() => commits.length === 1, 10_000)).toBe(true)
  mirror.note(0, 15)
  expect(await clock.runUntil(() => commits.length === 2, 10_000)).toBe(true)
  expect(new Map(commits[1])).toEqual(
    new Map([
      [0, 15],
      [1, 20],
    ]),
  )
})

it('does not commit again for a partition that another worker got while the commit failed', async () => {
  const answer = Promise.withResolvers<void>()
  const { clock, commits, mirror } = scene([answer.promise, undefined])
  mirror.note(0, 10)
  mirror.note(1, 20)
  expect(await clock.runUntil(() => commits.length === 1, 10_000)).toBe(true)
  mirror.forget([0])
  answer.reject(new Error('NOT_COORDINATOR'))
  expect(await clock.runUntil(() => commits.length === 2, 10_000)).toBe(true)
  expect(commits[1]).toEqual([[1, 20]])
})

it('does not try again after it was stopped', async () => {
  const { clock, commits, mirror } = scene([new Error('gone'), undefined])
  mirror.note(0, 10)
  await mirror.stop(1000)
  expect(await clock.runUntil(() => commits.length > 1, 60_000)).toBe(false)
  expect(commits).toHaveLength(1)
})
