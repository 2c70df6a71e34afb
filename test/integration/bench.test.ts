import { expect, it } from 'vitest'
import { marketKpi } from './processes.ts'

it('bench measures the real consumer on servers of its own, and leaves nothing behind', async () => {
  const run = marketKpi(['bench', '--messages', '20000', '--runs', '2', '--json', '--log-level', 'error'])
  expect(await run.exited, run.stderr()).toEqual({ code: 0, signal: null })
  const { runs } = JSON.parse(run.stdout()) as { runs: Record<string, number>[] }
  expect(runs).toHaveLength(2)
  for (const figures of runs) {
    expect(figures.messages).toBe(20_000)
    for (const name of ['seconds', 'wholeSeconds', 'batches', 'rows', 'cpuSeconds', 'peakMemoryMb']) {
      expect(figures[name], name).toBeGreaterThan(0)
    }
    expect(figures.wholeSeconds).toBeGreaterThan(figures.seconds ?? Number.POSITIVE_INFINITY)
  }
})
