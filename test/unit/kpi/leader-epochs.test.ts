import { describe, expect, it } from 'vitest'
import { divergenceOf, noEpoch } from '../../../src/kpi/leader-epochs.ts'

const read = { nextOffset: 2000, leaderEpoch: 5, epochFrom: 1500 }

describe('a log that was read up to offset 2000, the last epoch of it from 1500 on', () => {
  it.each([
    ['still holds that epoch up to there', { epoch: 5, endOffset: 2000 }],
    ['holds more of that epoch', { epoch: 5, endOffset: 9000 }],
    ['has nothing left of that epoch, since retention deleted it', { epoch: 5, endOffset: 2500 }],
  ])('is the same where the leader %s', (_, end) => {
    expect(divergenceOf(read, end)).toBeUndefined()
  })

  it.each([
    ['has less of that epoch', { epoch: 5, endOffset: 1700 }, { agreesTo: 1700, epoch: 5, isEstimate: false }],
    [
      'has none of it, and the epoch before it up to there',
      { epoch: 4, endOffset: 1500 },
      { agreesTo: 1500, epoch: 4, isEstimate: false },
    ],
    [
      'wrote more under the epoch before it',
      { epoch: 4, endOffset: 3000 },
      { agreesTo: 1500, epoch: 4, isEstimate: false },
    ],
    [
      'lost some of the epoch before it too',
      { epoch: 4, endOffset: 900 },
      { agreesTo: 900, epoch: 4, isEstimate: true },
    ],
    ['knows no epoch as high', { epoch: -1, endOffset: -1 }, { agreesTo: 1500, epoch: -1, isEstimate: true }],
  ])('is another one where the leader %s', (_, end, divergence) => {
    expect(divergenceOf(read, end)).toEqual(divergence)
  })
})

it('without an epoch nothing is known of the log', () => {
  expect(divergenceOf({ ...noEpoch, nextOffset: 2000 }, { epoch: 3, endOffset: 10 })).toBeUndefined()
})

it('where it is not known from where on an epoch was read, at least its last batch differs', () => {
  const from = { ...read, epochFrom: -1 }
  expect(divergenceOf(from, { epoch: 4, endOffset: 3000 })).toEqual({ agreesTo: 1999, epoch: 4, isEstimate: true })
  expect(divergenceOf({ ...from, nextOffset: 0 }, { epoch: -1, endOffset: -1 })?.agreesTo).toBe(0)
})
