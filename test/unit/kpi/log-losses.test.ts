import { describe, expect, it } from 'vitest'
import { deletedHole, isTouched, likelyLatestUs } from '../../../src/kpi/log-losses.ts'
import type { Gap } from '../../../src/store/positions/gaps.ts'

const position = {
  ...{ partition: 1, firstOffset: 0, nextOffset: 100, watermarkUs: 5e15, merged: 90, rejected: 0, withoutMessage: 0 },
  ...{ lost: 10, retried: 0, purged: 0, letters: 0, archivedLetters: 0, retriedLetters: 0 },
}
const given: Gap = { partition: 1, kind: 'deleted', fromOffset: 20, toOffset: 30, fromEventUs: 0, toEventUs: 1 }

describe('a hole', () => {
  it('leaves out what accept-gap gave up: that is in no row', () => {
    expect(deletedHole(position, [given], { from: 20, to: 30 }, undefined, 300)).toBe(undefined)
    expect(deletedHole(position, [given], { from: 25, to: 40 }, undefined, 300)).toMatchObject({ from: 30, to: 40 })
    expect(deletedHole(position, [given], { from: 10, to: 30 }, undefined, 300)).toMatchObject({ from: 10, to: 30 })
    expect(deletedHole(position, [given], { from: 30, to: 31 }, undefined, 300)).toMatchObject({ from: 30, to: 31 })
  })

  it('holds nothing later than the watermark, nor than the first message behind it allows', () => {
    expect(deletedHole(position, [], { from: 0, to: 9 }, undefined, 300)?.latestUs).toBe(5e15)
    expect(deletedHole(position, [], { from: 0, to: 9 }, 1e12, 300)?.latestUs).toBe(1e15 + 300e6 + 600e6)
    expect(deletedHole(position, [], { from: 0, to: 9 }, 9e12, 300)?.latestUs).toBe(5e15)
  })
})

describe('the windows a hole is likely to reach', () => {
  const hole = { partition: 0, from: 0, to: 9, why: 'deleted', latestUs: 9e15 } as const
  const rules = { windowSeconds: 300, allowedLatenessSeconds: 120 }

  it('end with the latest window of the first messages behind it, and the lateness', () => {
    expect(likelyLatestUs(hole, [100e6, 601e6, 250e6], rules)).toBe(900e6 + 120e6)
    expect(likelyLatestUs({ ...hole, latestUs: 950e6 }, [601e6], rules)).toBe(950e6)
  })

  it('are all up to its latest message where nothing came behind it', () => {
    expect(likelyLatestUs(hole, [], rules)).toBe(9e15)
  })
})

describe('a window', () => {
  const hole = { partition: 0, from: 0, to: 9, why: 'deleted', latestUs: 600e6 } as const
  const cut: Gap = { ...given, kind: 'cut', fromEventUs: 1000e6, toEventUs: 2000e6 }

  it('may lack what a hole held, but never more than that', () => {
    const losses = { holes: [hole], gaps: [] }
    expect([0, 600e6, 900e6].map((startUs) => isTouched(losses, startUs, 300, true))).toEqual([true, true, false])
    expect(isTouched(losses, 0, 300, false)).toBe(false)
  })

  it('may differ either way where the log was cut', () => {
    const losses = { holes: [], gaps: [cut, given] }
    const starts = [0, 600e6, 900e6, 1800e6, 2100e6]
    expect(starts.map((startUs) => isTouched(losses, startUs, 300, false))).toEqual([false, false, true, true, false])
  })
})
