import { describe, expect, it } from 'vitest'
import type { Delivery, Notifier } from '../../../../src/alerts/notification.ts'
import { deliverWithRetries, type RetryPolicy } from '../../../../src/alerts/notifiers/with-retries.ts'
import { aNotification } from './samples.ts'

const later: Delivery = { outcome: 'retryable', reason: 'busy' }
const done: Delivery = { outcome: 'delivered' }
const never: Delivery = { outcome: 'permanent', reason: 'no' }
const policy: RetryPolicy = { firstMs: 1000, capMs: 8000, deadlineMs: 60_000 }

/** Runs against a receiver that answers so, the last answer again and again; each attempt takes this long. */
async function run(
  answers: readonly Delivery[],
  { random = 1, attemptMs = 0, abortAfter = Number.POSITIVE_INFINITY, limits = policy } = {},
) {
  const stop = new AbortController()
  const waits: number[] = []
  let now = 1_000_000
  let asked = 0
  const notifier: Notifier = {
    name: 'desk',
    isForMachines: false,
    deliver: async () => {
      now += attemptMs
      asked += 1
      return answers[Math.min(asked, answers.length) - 1] ?? later
    },
    close: async () => {},
  }
  const clock = {
    nowMs: () => now,
    pause: async (ms: number) => {
      waits.push(ms)
      now += ms
      if (waits.length >= abortAfter) stop.abort()
    },
    random: () => random,
  }
  const found = await deliverWithRetries(notifier, aNotification(), { policy: limits, clock, signal: stop.signal })
  expect(found.attempts).toBe(asked)
  return { ...found, waits }
}

describe('attempts', () => {
  it('once, when it is delivered or refused for good', async () => {
    expect(await run([done])).toEqual({ outcome: 'delivered', attempts: 1, waits: [] })
    expect(await run([never])).toEqual({ ...never, attempts: 1, waits: [] })
  })

  it('until it is delivered', async () => {
    expect(await run([later, later, done])).toMatchObject({ outcome: 'delivered', attempts: 3 })
  })

  it('until it is refused for good', async () => {
    expect(await run([later, never])).toMatchObject({ outcome: 'permanent', attempts: 2 })
  })

  it('until the deadline, at which it says how the last one ended', async () => {
    const { outcome, waits } = await run([later])
    expect(outcome).toBe('retryable')
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000])
  })

  it('fewer, when each takes long', async () => {
    expect(await run([later], { attemptMs: 30_000 })).toMatchObject({ attempts: 2 })
  })

  it('no more, once it is told to stop', async () => {
    expect(await run([later], { abortAfter: 2 })).toMatchObject({ outcome: 'retryable', attempts: 2 })
  })
})

describe('waits', () => {
  it.each([
    [0, [500, 1000, 2000, 4000, 4000]],
    [0.5, [750, 1500, 3000, 6000, 6000]],
  ])('with jitter: %s of the upper half', async (random, expected) => {
    const { waits } = await run([later], { random })
    expect(waits.slice(0, 5)).toEqual(expected)
  })

  it('at least as long as the receiver asks, beyond the cap too', async () => {
    expect((await run([{ ...later, retryAfterMs: 20_000 }, later, done])).waits).toEqual([20_000, 2000])
  })

  it('not at all for a receiver that asks for more than is left: whoever called is told at once', async () => {
    const asking: Delivery = { ...later, retryAfterMs: 3_600_000 }
    expect(await run([asking])).toEqual({ ...asking, attempts: 1, waits: [] })
  })

  it('no longer than the cap after thousands of attempts', async () => {
    const limits = { firstMs: 1, capMs: 10, deadlineMs: 100_000 }
    const { waits } = await run([later], { limits })
    expect(waits.length).toBeGreaterThan(5000)
    expect(Math.max(...waits)).toBe(10)
  })
})
