import { describe, expect, it } from 'vitest'
import { startPriceOf, symbolNames } from '../../../../src/feed/simulate/symbols.ts'

describe('the symbols of a feed', () => {
  it('are those named, each once', () => {
    expect(symbolNames('AAPL,BRK.B,BTC/USDT,AAPL')).toEqual(['AAPL', 'BRK.B', 'BTC/USDT'])
  })

  it('are as many as told, well-known ones first', () => {
    expect(symbolNames('3')).toEqual(['AAPL', 'MSFT', 'NVDA'])
    const many = symbolNames('5000')
    expect(new Set(many).size).toBe(5000)
    expect(many.filter((name) => !/^[A-Z0-9]{1,32}$/.test(name))).toEqual([])
    expect(symbolNames('0')).toHaveLength(1)
  })

  it('start at known prices, others between 10 and 1000', () => {
    expect(startPriceOf('AAPL', 0.5)).toBe(228.4)
    expect(startPriceOf('SYM11', 0)).toBe(10)
    expect(startPriceOf('SYM11', 0.5)).toBeCloseTo(100)
    expect(startPriceOf('SYM11', 1)).toBe(1000)
  })
})
