import { expect, it } from 'vitest'
import { databasePlanOf } from '../../../../src/bench/database/plan.ts'
import { type DatabaseReport, type DatabaseRun, databaseSeries } from '../../../../src/bench/database/run.ts'
import { databaseText } from '../../../../src/bench/database/text.ts'

const run = (seconds: number): DatabaseRun => ({
  commits: 10,
  messages: 1000,
  rowsWritten: 500,
  seconds,
  p99Ms: 20,
  walBytes: 150_000,
  hotShare: 0.995,
  dead: 7,
  rows: 50,
  bytes: 40_000,
  autovacuums: 0,
  postgresCpuSeconds: 0.004,
})

const report: DatabaseReport = {
  postgres: '18.4',
  cases: [
    { shape: 'live', variant: 'shipped', runs: [run(1), run(4), run(2)] },
    { shape: 'live', variant: 'commit-async', runs: [run(0.5), run(2), run(1)] },
  ],
  growth: [
    {
      variant: 'old-reader',
      commits: 80,
      windows: 4,
      rows: 2000,
      bytes: 3_000_000,
      bytesPerAddedRow: 1500,
      packedBytes: 1_000_000,
      positionBytes: 32_768,
      dead: 9000,
      hotShare: 0.25,
      autovacuums: 1,
    },
  ],
  notBuiltIn: ['wal-lz4'],
  problems: [],
}

const rowOf = (text: string, title: string) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`| ${title}`))
    ?.split(' | ')

it('a variant is held against the shipped settings of the same round, so that a slow round is no difference', () => {
  const text = databaseText(report, databasePlanOf({ runs: 3 }))
  expect(rowOf(text, 'synchronous_commit off')?.slice(1)).toEqual([
    ...['0.50 (0.50 to 0.50)', '10.0 (5.0 to 20.0)', '500 (250 to 1,000)', '20 (20 to 20)', '4.0 (4.0 to 4.0)'],
    ...['300', '150', '99.5 %', '7', '800', '0 |'],
  ])
})

it('without the shipped settings there is nothing to hold it against', () => {
  const cases = report.cases.filter(({ variant }) => variant !== 'shipped')
  const text = databaseText({ ...report, cases }, databasePlanOf({ runs: 3 }))
  expect(rowOf(text, 'synchronous_commit off')?.[1]).toBe('– (– to –)')
})

it('what the PostgreSQL at hand lacks is told', () => {
  expect(databaseText(report, databasePlanOf({ runs: 3 }))).toContain('This PostgreSQL is built without: wal-lz4.')
})

it('growth is told for each row, and against the same rows packed', () => {
  const text = databaseText(report, databasePlanOf({ runs: 1 }))
  expect(rowOf(text, 'a reader')?.slice(1)).toEqual([
    ...['4', '2,000', '1,500', '500', '3.00', '1,500', '9,000', '25.0 %', '1', '32,768 |'],
  ])
})

it('rates, tails and log of each variant can be compared with a later report', () => {
  const series = databaseSeries(report).filter(({ name }) => name.includes('commit-async'))
  expect(series.map(({ name, unit, better, values }) => [name, unit, better, values])).toEqual([
    ['database live, commit-async, rows', 'rows/s', 'higher', [1000, 250, 500]],
    ['database live, commit-async, p99', 'ms', 'lower', [20, 20, 20]],
    ['database live, commit-async, WAL', 'bytes a row', 'lower', [300, 300, 300]],
  ])
})
