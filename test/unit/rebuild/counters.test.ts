import { describe, expect, it } from 'vitest'
import { noEpoch } from '../../../src/kpi/leader-epochs.ts'
import { countersAfter } from '../../../src/rebuild/counters.ts'

const position = {
  ...{ partition: 2, firstOffset: 10, nextOffset: 110, watermarkUs: 900, merged: 80, rejected: 12, withoutMessage: 3 },
  ...{ lost: 5, rewound: 0, retried: 0, purged: 4, ...noEpoch },
}
const scan = { isWhole: true, accepted: 85, rejected: 7, acceptedBefore: 80, watermarkUs: 1000, latestUs: -1 }
const sum = (counters: { merged: number; rejected: number; withoutMessage: number }) =>
  counters.merged + counters.rejected + counters.withoutMessage

describe('the counters of a partition', () => {
  it('are those of the log where it holds everything', () => {
    const counters = countersAfter(position, scan, 1)
    expect(counters).toEqual({
      ...{ partition: 2, merged: 85, rejected: 7, withoutMessage: 3, watermarkUs: 1000, purged: 3 },
    })
    expect(sum(counters)).toBe(100 - position.lost)
  })

  it('move by what is taken otherwise where it does not', () => {
    const counters = countersAfter(position, { ...scan, isWhole: false, accepted: 42, acceptedBefore: 40 }, 0)
    expect(counters).toMatchObject({ merged: 82, rejected: 10, withoutMessage: 3, purged: 4 })
    expect(sum(counters)).toBe(100 - position.lost)
  })

  it('keep the watermark where nothing is taken otherwise, since what is gone may have made it', () => {
    const same = { ...scan, isWhole: false, acceptedBefore: 85, watermarkUs: 500, latestUs: 700 }
    expect(countersAfter(position, same, 0).watermarkUs).toBe(900)
  })

  it('lower the watermark to what it can be at most, where a message that made it may not count any more', () => {
    const fewer = { ...scan, isWhole: false, acceptedBefore: 86, watermarkUs: 500, latestUs: 700 }
    expect(countersAfter(position, fewer, 0).watermarkUs).toBe(700)
    expect(countersAfter(position, { ...fewer, latestUs: 5000 }, 0).watermarkUs).toBe(900)
    expect(countersAfter(position, { ...fewer, watermarkUs: 800 }, 0).watermarkUs).toBe(800)
  })
})
