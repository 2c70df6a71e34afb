import { expect, it } from 'vitest'
import { aborted, pause, unlessAborted, withDeadline, within } from '../../../src/runtime/abort.ts'
import { every } from '../../../src/runtime/clock.ts'
import { SimulatedClock } from '../../simulated-clock.ts'

it('a pause ends at once when it is aborted, before or meanwhile', async () => {
  const clock = new SimulatedClock()
  await pause(60_000, AbortSignal.abort(), clock)
  const abort = new AbortController()
  const pausing = pause(60_000, abort.signal, clock)
  abort.abort()
  await pausing
  expect(clock.now()).toBe(1000)
})

it('a pause ends after its time', async () => {
  const clock = new SimulatedClock()
  let hasEnded = false
  void pause(60_000, undefined, clock).then(() => {
    hasEnded = true
  })
  await clock.advance(59_999)
  expect(hasEnded).toBe(false)
  await clock.advance(1)
  expect(hasEnded).toBe(true)
})

it('the abort of a signal is waited for, also when it came before', async () => {
  await aborted(AbortSignal.abort())
  const abort = new AbortController()
  const waiting = aborted(abort.signal)
  abort.abort()
  await waiting
})

it('work is left alone when it is aborted, and its later failure is ignored', async () => {
  const abort = new AbortController()
  const work = Promise.withResolvers<string>()
  const result = unlessAborted(work.promise, abort.signal)
  abort.abort()
  expect(await result).toBeUndefined()
  work.reject(new Error('too late to matter'))
  expect(await unlessAborted(Promise.resolve('x'), AbortSignal.abort())).toBeUndefined()
  expect(await unlessAborted(Promise.reject(new Error('ignored')), AbortSignal.abort())).toBeUndefined()
})

it('the result of work that ends before the abort, or within its time, is returned', async () => {
  const clock = new SimulatedClock()
  const { signal } = new AbortController()
  const failure = () => Promise.reject(new Error('failed'))
  expect(await unlessAborted(Promise.resolve('done'), signal)).toBe('done')
  await expect(unlessAborted(failure(), signal)).rejects.toThrow('failed')
  expect(await within(1000, Promise.resolve('done'), clock)).toBe('done')
  await expect(within(1000, failure(), clock)).rejects.toThrow('failed')
})

it('work that takes longer than its time has no result', async () => {
  const clock = new SimulatedClock()
  const result = within(1000, new Promise<string>(() => undefined), clock)
  await clock.advance(1000)
  expect(await result).toBeUndefined()
})

it('work with a deadline is aborted with the error given', async () => {
  const error = new Error('no answer in time')
  const work = (signal: AbortSignal) => aborted(signal).then(() => signal.reason as Error)
  expect(await withDeadline({ ms: 1, error }, work)).toBe(error)
  expect(await withDeadline({ ms: 60_000, error }, async (signal) => signal.aborted)).toBe(false)
})

it('calls back again and again until it is ended', async () => {
  const clock = new SimulatedClock()
  let calls = 0
  const end = every(clock, 100, () => {
    calls += 1
  })
  await clock.advance(350)
  end()
  await clock.advance(1000)
  expect(calls).toBe(3)
})
