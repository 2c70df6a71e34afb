import { fixed, markdownTable, percent, spread, whole } from '../report/markdown.ts'
import { median } from '../report/statistics.ts'
import type { GrowthRun } from './growth.ts'
import type { DatabasePlan, NamedShape } from './plan.ts'
import type { DatabaseCase, DatabaseReport, DatabaseRun } from './run.ts'
import { databaseVariants, growthVariants } from './variants.ts'

/** The database measurements as Markdown: one table per batch shape, and one for growth. */
export function databaseText({ cases, growth, notBuiltIn }: DatabaseReport, plan: DatabasePlan): string {
  const rounds = plan.runs === 1 ? 'one run' : `median of ${plan.runs} interleaved rounds (lowest to highest)`
  return `## PostgreSQL

The workers' own commits, one after the other on one connection, to a fresh database a run; no broker. ${rounds}.
Time is that of all commits against the shipped settings in the same round. CPU is that of all its processes. WAL is its log. HOT is the share of updates that stayed on their page and touched no index.
${notBuiltIn.length > 0 ? `This PostgreSQL is built without: ${notBuiltIn.join(', ')}.\n` : ''}
${plan.shapes.map((shape) => shapeText(shape, cases)).join('\n')}${growth.length > 0 ? `\n${growthText(growth, plan)}` : ''}`
}

function shapeText(shape: NamedShape, cases: readonly DatabaseCase[]): string {
  const { name, symbols, windows, messages, commits, commitsPerSpan } = shape
  const own = cases.filter((one) => one.shape === name)
  const shipped = own.find(({ variant }) => variant === 'shipped')?.runs ?? []
  const turn = commits > commitsPerSpan ? `, the next window after ${commitsPerSpan}` : ''
  return `### ${name}: ${symbols} symbols × ${windows} ${windows === 1 ? 'window' : 'windows'} a commit, ${whole(messages)} messages, ${commits} commits${turn}

${markdownTable(
  [
    'settings',
    'time',
    'commits/s',
    'rows/s',
    'p99 ms',
    'CPU µs a message',
    'WAL bytes a row',
    'a message',
    'HOT',
    'dead rows',
    'table and indexes, bytes a row',
    'autovacuums',
  ],
  own.map(({ variant, runs }) => [databaseVariants[variant].change, ...speedCells(runs, shipped), ...sizeCells(runs)]),
)}`
}

function speedCells(runs: readonly DatabaseRun[], shipped: readonly DatabaseRun[]): string[] {
  const of = (figure: (run: DatabaseRun) => number, digits = 0) => spread(runs.map(figure), digits)
  const times = runs.map(({ seconds }, round) => seconds / (shipped[round]?.seconds ?? Number.NaN))
  return [
    spread(times, 2),
    of(({ commits, seconds }) => commits / seconds, 1),
    of(({ rowsWritten, seconds }) => rowsWritten / seconds),
    of(({ p99Ms }) => p99Ms),
    of(({ postgresCpuSeconds, messages }) => (postgresCpuSeconds / messages) * 1e6, 1),
  ]
}

function sizeCells(runs: readonly DatabaseRun[]): string[] {
  const of = (figure: (run: DatabaseRun) => number) => median(runs.map(figure))
  return [
    whole(of(({ walBytes, rowsWritten }) => walBytes / rowsWritten)),
    whole(of(({ walBytes, messages }) => walBytes / messages)),
    percent(of(({ hotShare }) => hotShare)),
    whole(of(({ dead }) => dead)),
    whole(of(({ bytes, rows }) => bytes / rows)),
    whole(of(({ autovacuums }) => autovacuums)),
  ]
}

function growthText(growth: readonly GrowthRun[], { growth: plan }: DatabasePlan): string {
  const { symbols, commitsPerSecond, commitsPerSpan, seconds } = plan
  return `### Growth: ${symbols} symbols, ${commitsPerSecond} commits/s, the next window after ${commitsPerSpan}, for ${seconds} s

Table with indexes. Fully compacted is the size of the same rows after VACUUM FULL. The growth is that of the second half, for each row that came.

${markdownTable(
  [
    'settings',
    'windows',
    'rows',
    'bytes a row',
    'packed',
    'times fully compacted size',
    'growth, bytes a row',
    'dead rows',
    'HOT',
    'autovacuums',
    'positions, bytes',
  ],
  growth.map((run) => [
    growthVariants[run.variant].change,
    String(run.windows),
    whole(run.rows),
    whole(run.bytes / run.rows),
    whole(run.packedBytes / run.rows),
    fixed(run.bytes / run.packedBytes, 2),
    whole(run.bytesPerAddedRow),
    whole(run.dead),
    percent(run.hotShare),
    String(run.autovacuums),
    whole(run.positionBytes),
  ]),
)}`
}
