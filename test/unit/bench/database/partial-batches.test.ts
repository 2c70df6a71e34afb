import { describe, expect, it } from 'vitest'
import { PartialBatches, windowSeconds } from '../../../../src/bench/database/partial-batches.ts'
import type { PartialRow } from '../../../../src/kpi/reducer.ts'

const live = { symbols: 20, windows: 1, messages: 200, commitsPerSpan: 5, distinct: 2 }
const wide = { symbols: 4, windows: 3, messages: 400, commitsPerSpan: 1000, distinct: 2 }

const keysOf = (rows: readonly PartialRow[]) => rows.map(({ symbol, windowStartUs }) => `${symbol} ${windowStartUs}`)
const windowsOf = (rows: readonly PartialRow[]) => [...new Set(rows.map(({ windowStartUs }) => windowStartUs))].sort()

describe.each([
  ['live', live],
  ['wide', wide],
])('a batch of the %s shape', (_, shape) => {
  it.each([0, 1, 4, 5, 12])('holds each message once, inside its window: commit %i', async (commit) => {
    const rows = (await PartialBatches.prepare(shape)).rowsOf(commit)
    expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(shape.messages)
    expect(new Set(keysOf(rows)).size).toBe(rows.length)
    for (const { windowStartUs, first, last } of rows) {
      expect(windowStartUs % (windowSeconds * 1e6)).toBe(0)
      expect(first.timestampUs).toBeGreaterThanOrEqual(windowStartUs)
      expect(last.timestampUs).toBeLessThan(windowStartUs + windowSeconds * 1e6)
      for (const { offset } of [first, last]) expect(Math.floor(offset / shape.messages)).toBe(commit)
    }
  })
})

it('live batches merge into one window, later and later, and then into the next', async () => {
  const batches = await PartialBatches.prepare(live)
  const commits = Array.from({ length: 11 }, (_, i) => batches.rowsOf(i))
  const starts = commits.map((rows) => windowsOf(rows))
  const first = starts[0]?.[0] ?? Number.NaN
  expect(starts).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2].map((window) => [first + window * windowSeconds * 1e6]))
  const latest = commits.map((rows) => Math.max(...rows.map(({ last }) => last.timestampUs)))
  expect(latest).toEqual(latest.toSorted((a, b) => a - b))
})

it('wide batches touch every window, and the same ones again', async () => {
  const batches = await PartialBatches.prepare(wide)
  expect(windowsOf(batches.rowsOf(0))).toHaveLength(wide.windows)
  expect(windowsOf(batches.rowsOf(7))).toEqual(windowsOf(batches.rowsOf(0)))
})

it('one batch is not the other, until the distinct ones come again', async () => {
  const batches = await PartialBatches.prepare(live)
  const closes = (commit: number) => batches.rowsOf(commit).map(({ sumClose }) => sumClose)
  expect(closes(1)).not.toEqual(closes(0))
  expect(closes(2)).toEqual(closes(0))
})
