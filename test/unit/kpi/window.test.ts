import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { windowStartUs } from '../../../src/kpi/window.ts'
import { propertyRuns } from './property-runs.ts'

const fiveMinutesUs = 300e6
const latestUs = 2 ** 53 - 1

describe('windowStartUs', () => {
  it.each([
    [0, 0],
    [1, 0],
    [fiveMinutesUs - 1, 0],
    [fiveMinutesUs, fiveMinutesUs],
    [fiveMinutesUs + 1, fiveMinutesUs],
    // 2026-02-14, the window from 14:30:00 to 14:35:00.
    [1_771_079_399_999_999, 1_771_079_100_000_000],
    [1_771_079_400_000_000, 1_771_079_400_000_000],
    [1_771_079_699_999_999, 1_771_079_400_000_000],
    [1_771_079_700_000_000, 1_771_079_700_000_000],
  ])('puts %s into the window of five minutes from %s', (timestampUs, startUs) => {
    expect(windowStartUs(timestampUs, fiveMinutesUs)).toBe(startUs)
  })

  it('is exact up to the last instant', () => {
    const startUs = Number((BigInt(latestUs) / BigInt(fiveMinutesUs)) * BigInt(fiveMinutesUs))
    expect(windowStartUs(latestUs, fiveMinutesUs)).toBe(startUs)
    expect(windowStartUs(startUs, fiveMinutesUs)).toBe(startUs)
    expect(windowStartUs(startUs - 1, fiveMinutesUs)).toBe(startUs - fiveMinutesUs)
    expect(windowStartUs(latestUs, 1)).toBe(latestUs)
  })

  it('agrees with whole numbers of any size, at every boundary', () => {
    const windowUs = fc.oneof(
      fc.integer({ min: 1, max: 86_400 }).map((s) => s * 1e6),
      fc.integer({ min: 1, max: latestUs }),
    )
    const property = fc.property(fc.nat({ max: latestUs }), windowUs, (anywhereUs, sizeUs) => {
      const boundaryUs = windowStartUs(anywhereUs, sizeUs)
      for (const timestampUs of [
        anywhereUs,
        boundaryUs,
        boundaryUs - 1,
        boundaryUs + sizeUs - 1,
        boundaryUs + sizeUs,
      ]) {
        if (timestampUs < 0 || timestampUs > latestUs) continue
        const expected = (BigInt(timestampUs) / BigInt(sizeUs)) * BigInt(sizeUs)
        expect(windowStartUs(timestampUs, sizeUs)).toBe(Number(expected))
      }
    })
    fc.assert(property, propertyRuns)
  })
})
