import { expect, it } from 'vitest'
import { AcquireMeter } from '../../../../src/store/client/acquire-meter.ts'
import { PoolWaitMeter } from '../../../../src/store/client/pool-wait-meter.ts'

function meterAt(now: { ms: number }) {
  const acquiring = new AcquireMeter(() => now.ms)
  const database = {
    acquireWaitedMs: () => acquiring.waitedMs,
    takeLongestAcquireMs: () => acquiring.takeLongestMs(),
  }
  return { acquiring, meter: new PoolWaitMeter(database, now.ms) }
}

it('the share of an interval in which a query waited, those at the same time counted once', async () => {
  const now = { ms: 0 }
  const { acquiring, meter } = meterAt(now)
  const work = Promise.withResolvers<void>()
  const calls = [acquiring.measure(() => work.promise), acquiring.measure(() => work.promise)]
  now.ms = 1000
  acquiring.served()
  now.ms = 2000
  acquiring.served()
  now.ms = 5000
  expect(meter.interval(5000, false)).toEqual({ percent: 40, longestMs: 2000 })
  now.ms = 10_000
  expect(meter.interval(10_000, false)).toEqual({ percent: 0, longestMs: 0 })
  work.resolve()
  await Promise.all(calls)
})

it('a query that still waits counts in each interval', async () => {
  const now = { ms: 0 }
  const { acquiring, meter } = meterAt(now)
  now.ms = 4000
  const work = Promise.withResolvers<void>()
  const call = acquiring.measure(() => work.promise)
  now.ms = 5000
  expect(meter.interval(5000, false)).toEqual({ percent: 20, longestMs: 1000 })
  now.ms = 10_000
  expect(meter.interval(10_000, false)).toEqual({ percent: 100, longestMs: 6000 })
  acquiring.served()
  work.resolve()
  await call
})

it('a batch that has waited for long has waited all the time', () => {
  const { meter } = meterAt({ ms: 0 })
  expect(meter.interval(5000, true).percent).toBe(100)
})
