import { describe, expect, it } from 'vitest'
import { gapBounds } from '../../../src/kpi/gap-bounds.ts'

const around = {
  watermarkUs: 10_000e6,
  afterUs: [10_501e6, 10_499e6],
  latestUs: Number.MAX_SAFE_INTEGER,
  windowSeconds: 300,
  allowedLatenessSeconds: 120,
}
/** As the view kpi_windows has it. */
const isIncomplete = (startUs: number, { fromUs, toUs }: { fromUs: number; toUs: number }) =>
  startUs <= toUs && startUs + 300e6 > fromUs

describe('the windows that lost messages may belong to', () => {
  it('begin with the first whose messages would not have been late', () => {
    // A window that ends at 9880 s is late from a watermark above 10,000 s on: there, its messages still are in time.
    const bounds = gapBounds(around)
    expect(isIncomplete(9_580e6, bounds)).toBe(true)
    expect(isIncomplete(9_580e6 - 1, bounds)).toBe(false)
  })

  it('end where the first messages behind the gap would be late', () => {
    // The latest of them stands in the window that ends at 10,800 s, which is not late up to 10,920 s.
    const bounds = gapBounds(around)
    expect(isIncomplete(10_920e6, bounds)).toBe(true)
    expect(isIncomplete(10_920e6 + 1, bounds)).toBe(false)
  })

  it('end at the last possible timestamp, when that is earlier or nothing else is known', () => {
    expect(gapBounds({ ...around, latestUs: 10_700e6 }).toUs).toBe(10_700e6)
    expect(gapBounds({ ...around, afterUs: [], latestUs: 20_000e6 }).toUs).toBe(20_000e6)
  })

  it('begin in 1970 when nothing was merged before', () => {
    expect(gapBounds({ ...around, watermarkUs: -1 }).fromUs).toBe(0)
    expect(gapBounds({ ...around, watermarkUs: 5e6 }).fromUs).toBe(0)
  })

  it('never end before they begin', () => {
    expect(gapBounds({ ...around, latestUs: 0 })).toEqual({ fromUs: 9_880e6 - 1, toUs: 9_880e6 - 1 })
  })
})
