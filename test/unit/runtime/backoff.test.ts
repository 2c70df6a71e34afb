import { expect, it } from 'vitest'
import { pause, unlessAborted } from '../../../src/runtime/abort.ts'
import { Backoff } from '../../../src/runtime/backoff.ts'

it('waits twice as long each time, up to the cap, and from the start after a success', () => {
  const longest = new Backoff({ firstMs: 100, capMs: 1000, random: () => 1 })
  expect(Array.from({ length: 6 }, () => longest.nextMs())).toEqual([100, 200, 400, 800, 1000, 1000])
  expect(longest.attempt).toBe(6)
  longest.reset()
  expect(longest.nextMs()).toBe(100)
})

it('waits half as long at least, and never overflows', () => {
  const shortest = new Backoff({ firstMs: 100, capMs: 60_000, random: () => 0 })
  const waits = Array.from({ length: 2000 }, () => shortest.nextMs())
  expect(waits.slice(0, 3)).toEqual([50, 100, 200])
  expect(waits.at(-1)).toBe(30_000)
})

it('a pause ends at once when it is aborted, before or meanwhile', async () => {
  const before = performance.now()
  await pause(60_000, AbortSignal.abort())
  const abort = new AbortController()
  const pausing = pause(60_000, abort.signal)
  abort.abort()
  await pausing
  expect(performance.now() - before).toBeLessThan(5000)
})

it('work is left alone when it is aborted', async () => {
  const abort = new AbortController()
  const work = Promise.withResolvers<string>()
  const result = unlessAborted(work.promise, abort.signal)
  abort.abort()
  expect(await result).toBeUndefined()
  work.reject(new Error('too late to matter'))
  expect(await unlessAborted(Promise.resolve('x'), AbortSignal.abort())).toBeUndefined()
})

it('work that ends first counts', async () => {
  const { signal } = new AbortController()
  expect(await unlessAborted(Promise.resolve('done'), signal)).toBe('done')
  await expect(unlessAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed')
})
