import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'
import { marketKpi } from '../scenes/processes.ts'

interface Figures {
  [name: string]: number | Figures
}

interface Report {
  plan: { throughput: { cases: { name: string }[] } }
  throughput: { cases: { name: string; runs: Figures[]; rawFetch: number[]; librdkafka: number[] }[] }
  latency: { cases: { runs: { latency: Figures }[] }[] }
  tuning: { cases: { setting: string; runs: Figures[]; live: Figures }[]; naive: Figures[] }
  database: { cases: { shape: string; variant: string; runs: Figures[] }[]; growth: Figures[] }
  series: { name: string; values: number[] }[]
  problems: string[]
  librdkafka?: string
}

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())
const saved = join(folder.path, 'report.json')
let report: Report

beforeAll(async () => {
  const run = marketKpi([
    ...['bench', 'all', '--quick', '--messages', '12000', '--runs', '1', '--seconds', '1'],
    ...['--cases', 'narrow', '--workers', '2', '--unusual', '10'],
    ...[
      '--rates',
      '500',
      '--waits',
      '20',
      '--settings',
      'pool-2',
      '--variants',
      'shipped,fillfactor-100',
      '--json',
      '--save',
      saved,
      '--log-level',
      'error',
    ],
  ])
  expect(await run.exited, run.stderr()).toEqual({ code: 0, signal: null })
  report = JSON.parse(run.stdout()) as Report
}, 240_000)

it('bench finds every row exact, and saves what it prints', () => {
  expect(report.problems).toEqual([])
  expect(JSON.parse(readFileSync(saved, 'utf8'))).toEqual(report)
  expect(report.series.map(({ values }) => values.length)).toEqual(report.series.map(() => 1))
})

it('bench measures workers beside plain readers, one and two of them, with usual and unusual messages', () => {
  const { throughput, librdkafka } = report
  expect(throughput.cases.map(({ name }) => name)).toEqual(['narrow', 'own'])
  for (const { runs, rawFetch, librdkafka: rates } of throughput.cases) {
    expect(runs.map(({ messages }) => messages)).toEqual([12_000])
    for (const name of ['seconds', 'wholeSeconds', 'batches', 'rows', 'cpuSeconds', 'peakMemoryMb']) {
      expect(runs[0]?.[name], name).toBeGreaterThan(0)
    }
    expect(runs[0]?.wholeSeconds).toBeGreaterThan(Number(runs[0]?.seconds))
    expect(rawFetch).toEqual([expect.any(Number)])
    // Only where the machine has kcat.
    expect(rates).toHaveLength(librdkafka === undefined ? 0 : 1)
  }
})

it('bench latency counts every message that was due after the warm-up', () => {
  const figures = report.latency.cases[0]?.runs[0]?.latency
  // Of a second after a second of warm-up.
  expect(figures?.count).toBe(500)
  const rising = [figures?.p50, figures?.p99, figures?.p999, figures?.max].map(Number)
  expect(rising[0]).toBeGreaterThan(0)
  expect(rising).toEqual(rising.toSorted((a, b) => a - b))
})

it('bench tuning has a backlog and a live load of each setting, and the naive ways', () => {
  const { cases, naive } = report.tuning
  expect(cases.map(({ setting, runs }) => [setting, runs.length])).toEqual([['pool-2', 1]])
  expect(cases[0]?.live.commitsPerSecond).toBeGreaterThan(0)
  expect(naive.map(({ messages }) => messages)).toEqual([300, 300])
})

it('bench database shows what room on the pages is for, and what a reader that stays does to a table', () => {
  const { cases, growth } = report.database
  expect(cases.map(({ shape, variant, runs }) => [shape, variant, runs.length])).toEqual([
    ['live', 'shipped', 1],
    ['live', 'fillfactor-100', 1],
    ['wide', 'shipped', 1],
    ['wide', 'fillfactor-100', 1],
  ])
  for (const { runs } of cases) {
    for (const name of ['seconds', 'p99Ms', 'walBytes', 'rows', 'bytes', 'postgresCpuSeconds']) {
      expect(runs[0]?.[name], name).toBeGreaterThan(0)
    }
  }
  const [shipped, full] = cases.map(({ runs }) => Number(runs[0]?.hotShare))
  expect(shipped).toBeGreaterThan(Number(full))
  expect(growth.map(({ variant }) => variant)).toEqual(['shipped', 'old-reader'])
  expect(growth[1]?.bytes).toBeGreaterThan(Number(growth[0]?.bytes))
})

it('bench --compare measures what the file measured, and fails when that was much faster', async () => {
  const compare = async (factor: number) => {
    const path = join(folder.path, `times-${factor}.json`)
    const { throughput } = report.plan
    const cases = throughput.cases.filter(({ name }) => name === 'narrow')
    const series = report.series
      .filter(({ name }) => name === 'throughput narrow')
      .map((one) => ({ ...one, values: one.values.map((value) => value * factor) }))
    writeFileSync(path, JSON.stringify({ ...report, plan: { throughput: { ...throughput, cases } }, series }))
    const run = marketKpi(['bench', '--compare', path, '--log-level', 'error'])
    const { code } = await run.exited
    expect(run.stdout()).toMatch(/all messages accounted for, all rows exact/)
    return { code, line: /^\| throughput narrow, .*$/m.exec(run.stdout())?.[0] }
  }
  // Two at a time slow one another, but not a hundred times.
  const [slower, faster] = await Promise.all([compare(0.01), compare(100)])
  expect(slower).toEqual({ code: 0, line: expect.stringMatching(/\| better \|$/) })
  expect(faster).toEqual({ code: 1, line: expect.stringMatching(/\| WORSE \|$/) })
})

it.each([
  { args: ['--compare', 'no-such-report.json'], told: 'no-such-report.json is not a saved report' },
  { args: ['--rates', '10,0'], told: '--rates' },
  { args: ['--cases', 'narrow,nonsense'], told: 'must be some of' },
  { args: ['database', '--variants', 'wal-zip'], told: 'must be some of' },
])('bench $args is refused in one line', async ({ args, told }) => {
  const run = marketKpi(['bench', ...args])
  expect(await run.exited).toEqual({ code: 2, signal: null })
  expect(run.stderr()).toMatch(/^[^\n]+\n$/)
  expect(run.stderr()).toContain(told)
})
