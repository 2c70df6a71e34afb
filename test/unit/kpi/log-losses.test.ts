import { describe, expect, it } from 'vitest'
import { deletedHole } from '../../../src/kpi/log-losses.ts'
import type { Gap } from '../../../src/store/gaps.ts'

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
