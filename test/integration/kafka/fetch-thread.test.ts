// What a fetcher on a thread of its own adds: memory that both threads use, and turns of the event loop for others.
import { afterEach, expect, it } from 'vitest'
import { FetchRecorder } from '../scenes/fetch-recorder.ts'
import { makeTopic, valuesFor } from '../scenes/kafka-topic.ts'
import { send } from '../scenes/market.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`.padEnd(400, '.'))

let timer: NodeJS.Timeout | undefined
afterEach(() => clearInterval(timer))

it('many answers come whole and in order, however slowly they are taken in', async () => {
  await using topic = await makeTopic({ partitions: 2 })
  const values = numbered(20_000)
  await send(
    topic.cluster,
    topic.name,
    [0, 1].flatMap((p) => valuesFor(p, 2, values)),
  )
  await using recorder = new FetchRecorder(topic, { inThread: true, maxBytes: 200_000, partitionMaxBytes: 100_000 })
  const take = recorder.records.bind(recorder)
  let answers = 0
  recorder.records = (answer) => {
    // The thread has time to overwrite what it may not.
    for (const until = performance.now() + 5; performance.now() < until; );
    answers += 1
    take(answer)
  }
  for (const partition of [0, 1]) recorder.seek(partition, 0)
  await recorder.untilCount(40_000)
  for (const partition of [0, 1]) expect(recorder.values(partition)).toEqual(values)
  expect(answers).toBeGreaterThan(50)
})

it('timers have their turn between two answers', async () => {
  await using topic = await makeTopic()
  await send(topic.cluster, topic.name, valuesFor(0, 1, numbered(20_000)))
  await using recorder = new FetchRecorder(topic, { inThread: true, partitionMaxBytes: 100_000 })
  const take = recorder.records.bind(recorder)
  let turns = 0
  let answers = 0
  let most = 0
  timer = setInterval(() => {
    turns += 1
    most = Math.max(most, answers)
    answers = 0
  }, 1)
  recorder.records = (answer) => {
    for (const until = performance.now() + 5; performance.now() < until; );
    answers += 1
    take(answer)
  }
  recorder.seek(0, 0)
  await recorder.untilCount(20_000)
  expect(turns).toBeGreaterThan(20)
  expect(most).toBeLessThan(4)
})
