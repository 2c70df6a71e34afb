import { expect, it } from 'vitest'
import { AcquireMeter } from '../../../../src/store/client/acquire-meter.ts'

it('tells the longest wait since it was last asked', async () => {
  let nowMs = 0
  const meter = new AcquireMeter(() => nowMs)
  const work = Promise.withResolvers<void>()
  const first = meter.measure(() => work.promise)
  const second = meter.measure(() => work.promise)
  nowMs = 5
  meter.served()
  nowMs = 30
  // The first was served after 5 ms and works; the second still waits.
  expect(meter.takeLongestMs()).toBe(30)
  nowMs = 40
  meter.served()
  expect(meter.takeLongestMs()).toBe(40)
  nowMs = 90
  work.resolve()
  await Promise.all([first, second])
  expect(meter.takeLongestMs()).toBe(0)
})

it('counts a wait that ended in a failure', async () => {
  let nowMs = 0
  const meter = new AcquireMeter(() => nowMs)
  await expect(
    meter.measure(async () => {
      nowMs = 12
      throw new Error('no connection')
    }),
  ).rejects.toThrow('no connection')
  expect(meter.takeLongestMs()).toBe(12)
  meter.served()
  expect(meter.takeLongestMs()).toBe(0)
})
