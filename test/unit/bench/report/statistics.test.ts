import { describe, expect, it } from 'vitest'
import { percentile, spreadOf } from '../../../../src/bench/report/statistics.ts'

it('the spread is the median, in whatever order, and the ends', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, lowest: 1, highest: 3 })
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, lowest: 1, highest: 4 })
  expect(spreadOf([])).toEqual({ median: Number.NaN, lowest: Number.NaN, highest: Number.NaN })
})

describe('a percentile is the smallest value that so many do not exceed', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1)
  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
    [0.001, 1],
  ])('share %d of 1 to 100 is %d', (share, value) => {
    expect(percentile(hundred, share)).toBe(value)
  })

  it('of one value is that one, of none is not a number', () => {
    expect(percentile(Float64Array.of(7), 0.999)).toBe(7)
    expect(percentile(new Float64Array(0), 0.5)).toBeNaN()
  })
})
