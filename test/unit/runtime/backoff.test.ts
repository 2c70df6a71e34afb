import { expect, it } from 'vitest'
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
