import { describe, expect, it } from 'vitest'
import { BadLines } from '../../../../src/feed/replay/bad-lines.ts'
import { SimulatedClock } from '../../../simulated-clock.ts'
import { KeptLog } from './files.ts'

function made() {
  const log = new KeptLog()
  const clock = new SimulatedClock({ isEager: true })
  return { log, clock, bad: new BadLines({ path: 'p.csv', log, clock }) }
}

describe('bad lines', () => {
  it('are told with number and reason', () => {
    const { bad, log } = made()
    bad.report('line 7', 'no close')
    expect(log.lines).toEqual(['warning: p.csv line 7 is skipped: no close'])
  })

  it('do not flood the log', () => {
    const { bad, log, clock } = made()
    for (let line = 1; line <= 100_000; line++) {
      bad.report(`line ${line}`, 'no close')
      clock.skip(1)
    }
    // Ten at once, then one every ten seconds for a hundred seconds.
    expect(log.lines).toHaveLength(19)
    expect(log.lines.at(-1)).toMatch(/^warning: p\.csv line \d+ is skipped: no close; 9999 more bad lines before it$/)
    expect(bad.count).toBe(100_000)
  })

  it('are summed up at the end', () => {
    const { bad, log } = made()
    bad.sum()
    expect(log.lines).toEqual([])
    bad.report('line 3', 'no symbol')
    bad.report('line 4', 'no close')
    bad.sum()
    expect(log.lines.at(-1)).toBe('warning: 2 lines of p.csv were skipped, the first, line 3: no symbol')
    expect(bad.first).toBe('line 3: no symbol')
  })
})
