import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { planOf } from '../../../../src/bench/plan.ts'
import { type BenchReport, readReport, saveReport } from '../../../../src/bench/report/saved-report.ts'
import { KpiError } from '../../../../src/errors.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

const report: BenchReport = {
  format: 1,
  startedAt: '2026-02-14T14:30:00.000Z',
  machine: {
    processors: '2 × of them',
    memoryGb: 8,
    system: 'linux x64',
    node: '24.21.0',
    kafka: '4.4.0',
    postgres: '18.4',
    marketKpi: '0.1.0',
  },
  plan: planOf('all', {}),
  series: [{ name: 'a', unit: 'ms', better: 'lower', values: [1, 2.5], noise: { share: 0.1, least: 0 } }],
  problems: [],
}

it('what was saved is read again', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'report.json')
  saveReport(path, report)
  const { startedAt, machine, plan, series } = report
  expect(readReport(path)).toEqual({ format: 1, startedAt, machine, plan, series })
})

describe('a file is refused in one line', () => {
  it.each([
    ['that is no JSON', 'runs: 3', /is not a saved report/],
    ['of something else', '{"runs":[]}', /is not a report saved by this version: format/],
    ['of another format', JSON.stringify({ ...report, format: 2 }), /format/],
    ['whose figures are no figures', JSON.stringify({ ...report, series: [{ name: 'a' }] }), /series\.0\.unit/],
    ['whose plan has a case of no workers', JSON.stringify(report).replaceAll('"workers":1', '"workers":0'), /workers/],
  ])('%s', (_, content, told) => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'report.json')
    writeFileSync(path, content)
    const refusal = refusalOf(() => readReport(path))
    expect(refusal.code).toBe('KPI_USAGE')
    expect(refusal.message).toMatch(told)
    expect(refusal.message).not.toContain('\n')
  })

  it('that is not there', () => {
    using folder = temporaryFolder()
    expect(refusalOf(() => readReport(join(folder.path, 'none.json'))).message).toMatch(/ENOENT/)
  })
})

it('a report that cannot be saved is told', () => {
  using folder = temporaryFolder()
  const refusal = refusalOf(() => saveReport(join(folder.path, 'no', 'report.json'), report))
  expect([refusal.code, refusal.message]).toEqual(['KPI_USAGE', expect.stringMatching(/cannot be written.*ENOENT/)])
})

function refusalOf(work: () => unknown): KpiError {
  try {
    work()
  } catch (error) {
    if (error instanceof KpiError) return error
    throw error
  }
  throw new Error('it was not refused')
}
