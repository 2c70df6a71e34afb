import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonWindowStart } from '../../../src/rebuild/window-floor.ts'
import { propertyRuns } from '../kpi/property-runs.ts'

describe('where windows of two lengths start together', () => {
  it.each([
    [0, 300, 60, 0],
    [-1, 300, 60, 0],
    [1, 300, 60, 300e6],
    [300e6, 300, 60, 300e6],
    [300e6 + 1, 60, 300, 600e6],
    [1, 300, 420, 2100e6],
    [1, 300, 300, 300e6],
  ])('from %d on, %d s and %d s: %d', (us, before, now, expected) => {
    expect(commonWindowStart(us, before, now)).toBe(expected)
  })

  it('is a start of both, not before, and the first', () => {
    const length = fc.integer({ min: 1, max: 3600 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4e15 }), length, length, (us, before, now) => {
        const found = commonWindowStart(us, before, now)
        expect(found % (before * 1e6)).toBe(0)
        expect(found % (now * 1e6)).toBe(0)
        expect(found).toBeGreaterThanOrEqual(us)
        expect(commonWindowStart(found, before, now)).toBe(found)
        expect(found - us).toBeLessThan(before * now * 1e6)
      }),
      propertyRuns,
    )
  })

  it('is refused where they hardly ever do', () => {
    expect(() => commonWindowStart(1, 86_400, 86_399)).toThrow(expect.objectContaining({ code: 'KPI_REBUILD_REFUSED' }))
  })
})
