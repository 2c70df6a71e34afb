import { describe, expect, it } from 'vitest'
import { planOf } from '../../../src/bench/plan.ts'

describe('throughput', () => {
  const cases = (flags: Parameters<typeof planOf>[1]) => planOf('throughput', flags).throughput?.cases

  it('is of the narrow and the wide case', () => {
    const { throughput, latency, tuning } = planOf('throughput', {})
    expect(throughput).toMatchObject({ messages: 1_000_000, partitions: 3, runs: 3 })
    expect(throughput?.cases.map(({ name, symbols, windows }) => [name, symbols, windows])).toEqual([
      ['narrow', 50, 7],
      ['wide', 500, 67],
    ])
    expect([latency, tuning]).toEqual([undefined, undefined])
  })

  it('is of the one case that somebody describes', () => {
    expect(cases({ symbols: 8, unusual: 30 })).toEqual([
      { name: 'own', symbols: 8, windows: 7, compression: 'none', unusualPercent: 30, workers: 1 },
    ])
  })

  it('is of the cases named, and of one described beside them', () => {
    const found = cases({ cases: ['lz4', 'two-workers'], workers: 3 })
    expect(found?.map(({ name, compression, workers }) => [name, compression, workers])).toEqual([
      ['lz4', 'lz4', 1],
      ['two-workers', 'none', 2],
      ['own', 'none', 3],
    ])
  })
})

it('latency is measured at three rates with two waits, for 20 s after 5', () => {
  expect(planOf('latency', {}).latency).toEqual({
    rates: [1000, 10_000, 100_000],
    waitsMs: [200, 20],
    seconds: 20,
    warmUpSeconds: 5,
    partitions: 3,
    runs: 1,
  })
})

it('all is everything, with the sizes given', () => {
  const { throughput, latency, tuning } = planOf('all', { messages: 1000, runs: 2, seconds: 4, partitions: 6 })
  expect(throughput).toMatchObject({ messages: 1000, runs: 2, partitions: 6 })
  expect(latency).toMatchObject({ seconds: 4, warmUpSeconds: 1, runs: 2, partitions: 6 })
  expect(tuning).toMatchObject({ messages: 1000, runs: 2, seconds: 4, partitions: 6, naiveMessages: 1000 })
})

it('quick is smaller, and what is given still counts', () => {
  const { throughput, latency, tuning } = planOf('all', { quick: true, rates: [7] })
  expect(throughput?.messages).toBe(200_000)
  expect(latency).toMatchObject({ rates: [7], seconds: 3, warmUpSeconds: 1 })
  expect(tuning?.settings).toContain('default')
})

it('database is of all variants; growth lasts as long as told', () => {
  const { throughput, database } = planOf('database', { seconds: 180 })
  expect(throughput).toBeUndefined()
  expect(database).toMatchObject({ runs: 3, growth: { seconds: 180 } })
  expect(database?.variants[0]).toBe('shipped')
  expect(database?.shapes.map(({ name, symbols, windows }) => [name, symbols, windows])).toEqual([
    ['live', 500, 1],
    ['wide', 500, 67],
  ])
  expect(planOf('all', { variants: ['wal-lz4'] }).database?.variants).toEqual(['wal-lz4'])
})

describe('start-up', () => {
  it('is of eleven runs, or as many as are asked for', () => {
    expect(planOf('start-up', {})).toMatchObject({ startUp: { runs: 11 }, throughput: undefined, database: undefined })
    expect(planOf('start-up', { runs: 5 }).startUp).toEqual({ runs: 5 })
    expect(planOf('throughput', {}).startUp).toBeUndefined()
  })
})
