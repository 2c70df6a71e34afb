import { describe, expect, it } from 'vitest'
import { compareExactRows, comparePeerRows, isCorrect } from '../../../../bench/peers/compare-rows.ts'
import { ownRow, peerRow, windowOfTwo } from './two-messages.ts'

const figures = ['avg_close', 'min_close', 'max_close', 'vwap', 'price_range', 'total_volume', 'message_count'] as const
const ownColumns = Object.keys(ownRow).slice(2) as (keyof typeof ownRow)[]
const windowSeconds = 300

describe('rows of others', () => {
  it('are right when each window has its row', () => {
    const check = comparePeerRows([peerRow], windowOfTwo())
    expect(check).toEqual({ expected: 1, missing: 0, extra: 0, wrong: 0, example: null })
    expect(isCorrect(check)).toBe(true)
  })

  it.each(figures)('may differ in %s by a millionth, not by two', (name) => {
    const off = (share: number) => comparePeerRows([{ ...peerRow, [name]: peerRow[name] * (1 + share) }], windowOfTwo())
    expect(isCorrect(off(0.9e-6))).toBe(true)
    expect(isCorrect(off(-0.9e-6))).toBe(true)
    expect(off(2e-6)).toMatchObject({ wrong: 1, example: `A 600000000: ${name}` })
    expect(off(-2e-6)).toMatchObject({ wrong: 1 })
  })

  it.each(figures)('are wrong when %s is missing or no number', (name) => {
    for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(comparePeerRows([{ ...peerRow, [name]: value }], windowOfTwo())).toMatchObject({ wrong: 1 })
    }
  })

  it('have no weighted price where nothing was traded', () => {
    const windows = windowOfTwo({ volumes: [0n, 0n] })
    const row = { ...peerRow, total_volume: 0 }
    expect(isCorrect(comparePeerRows([{ ...row, vwap: null }], windows))).toBe(true)
    expect(comparePeerRows([{ ...row, vwap: 0 }], windows)).toMatchObject({ wrong: 1 })
  })

  it('are wrong when one is missing', () => {
    const check = comparePeerRows([], windowOfTwo())
    expect(check).toMatchObject({ expected: 1, missing: 1, example: 'A 600000000: no row' })
    expect(isCorrect(check)).toBe(false)
  })

  it('are wrong when there is one of another window or symbol', () => {
    for (const other of [{ startUs: 900e6 }, { symbol: 'B' }]) {
      const check = comparePeerRows([peerRow, { ...peerRow, ...other }], windowOfTwo())
      expect(check).toMatchObject({ extra: 1, missing: 0 })
      expect(isCorrect(check)).toBe(false)
    }
  })
})

describe('rows of market-kpi', () => {
  it('are right to the last digit', () => {
    expect(isCorrect(compareExactRows([ownRow], windowOfTwo(), { windowSeconds, decimals: 8 }))).toBe(true)
  })

  it.each(ownColumns)('are wrong when %s is not', (name) => {
    const value = ownRow[name].includes('.') ? `${ownRow[name]}`.replace('.', '.1') : `${ownRow[name]}1`
    for (const row of [
      { ...ownRow, [name]: value },
      { ...ownRow, [name]: null },
    ]) {
      expect(compareExactRows([row], windowOfTwo(), { windowSeconds, decimals: 8 })).toMatchObject({
        wrong: 1,
        example: `A 600000000: ${name}`,
      })
    }
  })

  it('are wrong in the eighth decimal already', () => {
    const row = { ...ownRow, min_close: '1.50000001' }
    expect(compareExactRows([row], windowOfTwo(), { windowSeconds, decimals: 8 })).toMatchObject({ wrong: 1 })
  })
})
