import { expect, it } from 'vitest'
import { PlainWindows, windowKey } from '../../../src/verify/plain-windows.ts'

const windowUs = 300e6
const message = (symbol: string, timestampUs: number, open = 1n, close = 1n) => ({
  ...{ symbol, timestampUs, open, close, high: close, low: close, volume: 0n },
})

it('keeps windows of its range and symbols only', () => {
  const range = { symbols: ['A', 'B'], fromUs: windowUs, toUs: 3 * windowUs }
  const windows = new PlainWindows({ windowSeconds: 300, range, maxWindows: 10 })
  for (const [symbol, us] of [
    ['A', windowUs - 1],
    ['A', windowUs],
    ['C', windowUs],
    ['B', 3 * windowUs - 1],
    ['B', 3 * windowUs],
  ] as const) {
    windows.add(message(symbol, us), { partition: 0, offset: 0 }, false)
  }
  expect([...windows.windows.keys()]).toEqual([windowKey('A', windowUs), windowKey('B', 2 * windowUs)])
})

it('takes no more windows than it has room for, and counts the messages of others', () => {
  const windows = new PlainWindows({ windowSeconds: 300, range: {}, maxWindows: 1 })
  for (const us of [0, 1, windowUs, windowUs + 1]) windows.add(message('A', us), { partition: 0, offset: us }, false)
  expect(windows.windows.size).toBe(1)
  expect(windows.crowdedOut).toBe(2)
})

it('opens and closes by timestamp, then partition, then offset', () => {
  const windows = new PlainWindows({ windowSeconds: 300, range: {}, maxWindows: 1 })
  windows.add(message('A', 5, 1n, 10n), { partition: 1, offset: 1 }, false)
  windows.add(message('A', 5, 2n, 20n), { partition: 0, offset: 9 }, true)
  windows.add(message('A', 5, 3n, 30n), { partition: 1, offset: 2 }, 'maybe')
  const window = windows.windows.get(windowKey('A', 0))
  expect(window).toMatchObject({ n: 3, first: { price: 2n }, last: { price: 30n }, late: 1, maybeLate: 1 })
})
