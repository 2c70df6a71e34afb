import { describe, expect, it } from 'vitest'
import { compareSeries } from '../../../../src/bench/report/compare.ts'
import { latencyNoise, rateNoise, type Series } from '../../../../src/bench/report/series.ts'

const rate = (values: readonly number[]): Series => ({
  name: 'throughput narrow',
  unit: 'messages/s',
  better: 'higher',
  values,
  noise: rateNoise,
})
const latency = (values: readonly number[]): Series => ({
  name: 'p99',
  unit: 'ms',
  better: 'lower',
  values,
  noise: latencyNoise,
})

describe('a rate', () => {
  it.each([
    ['the same', [1000, 1000, 1000], [1000, 1000, 1000], 'same'],
    ['exactly a tenth less', [1000, 1000, 1000], [900, 900, 900], 'same'],
    ['more than a tenth less', [1000, 1000, 1000], [899, 899, 899], 'worse'],
    ['more than a tenth more', [1000, 1000, 1000], [1101, 1101, 1101], 'better'],
    ['a tenth below the lowest run of before', [950, 1000, 1000], [850, 850, 850], 'same'],
    ['further below it', [950, 1000, 1000], [849, 849, 849], 'worse'],
    ['within a wide spread of before', [700, 1000, 1000], [400, 400, 400], 'same'],
    ['beyond a wide spread of before', [700, 1000, 1000], [399, 399, 399], 'worse'],
    ['within its own wide spread', [1000, 1000, 1000], [500, 800, 900], 'same'],
    ['one slow run among good ones', [1000, 1000, 1000], [100, 1000, 1000], 'same'],
    ['single runs', [1000], [850], 'worse'],
    ['not measured now', [1000, 1000, 1000], [], 'not measured'],
  ])('%s', (_, before, now, verdict) => {
    expect(compareSeries([rate(before)], [rate(now)])[0]?.verdict).toBe(verdict)
  })
})

describe('a latency', () => {
  it.each([
    ['a quarter more', [200, 200, 200], [250, 250, 250], 'same'],
    ['more than a quarter more', [200, 200, 200], [251, 251, 251], 'worse'],
    ['more than a quarter less', [200, 200, 200], [149, 149, 149], 'better'],
    ['10 ms more of little', [5, 5, 5], [15, 15, 15], 'same'],
    ['more than 10 ms more of little', [5, 5, 5], [15.1, 15.1, 15.1], 'worse'],
    ['above the highest run of before, by the spread of before', [200, 250, 300], [400, 400, 400], 'same'],
    ['above the highest run of before, by more', [200, 250, 300], [401, 401, 401], 'worse'],
  ])('%s', (_, before, now, verdict) => {
    expect(compareSeries([latency(before)], [latency(now)])[0]?.verdict).toBe(verdict)
  })
})

it('series are found by name, those of before are told, those that are new are not', () => {
  const found = compareSeries([latency([100]), rate([1000])], [rate([1000]), { ...rate([1]), name: 'new' }])
  expect(found.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['p99', 'not measured'],
    ['throughput narrow', 'same'],
  ])
})

it('tells how much worse it might have been', () => {
  const [one] = compareSeries([rate([900, 1000, 1050])], [rate([1000])])
  expect(one).toMatchObject({ allowed: 150, before: { median: 1000, lowest: 900, highest: 1050 } })
})
