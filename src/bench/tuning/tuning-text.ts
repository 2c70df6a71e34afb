import { settings } from '../../config/settings.ts'
import type { TuningPlan } from '../plan.ts'
import { fixed, markdownTable, percent, spread, whole } from '../report/markdown.ts'
import { median } from '../report/statistics.ts'
import type { TuningCase, TuningReport } from './tuning.ts'

const { batchSize, batchWaitMs, maxPoolConnections } = settings
const defaults = [batchSize, batchWaitMs, maxPoolConnections].map((of) => `${of.env}=${of.default}`).join(', ')

/** The tuning tables as Markdown. */
export function tuningText(report: TuningReport, plan: TuningPlan): string {
  const { messages, runs, rate, seconds, warmUpSeconds } = plan
  return `## Tuning

A backlog of ${whole(messages)} messages (50 symbols, 7 windows), ${runs === 1 ? 'one run' : `median of ${runs} interleaved rounds`}; then ${whole(rate)} messages/s for ${seconds} s after ${warmUpSeconds} s of warm-up. A commit is one round trip to the database. CPU is of one core.
\`default\` is ${defaults}: while a write is under way, what comes joins the next.

${markdownTable(
  [
    'setting',
    'backlog: messages/s',
    'commits',
    'worker CPU s',
    'PostgreSQL CPU s',
    'live: p50 ms',
    'p99 ms',
    'commits/s',
    'worker CPU',
    'PostgreSQL CPU',
  ],
  report.cases.map(settingRow),
)}
What pooling and batching save, a million messages each (the naive ways scaled up from ${whole(plan.naiveMessages)}):

${markdownTable(
  ['way', 'messages/s', 'commits', 'writer CPU s', 'PostgreSQL CPU s', 'times as slow as default'],
  savingRows(report),
)}`
}

function settingRow({ setting, runs, live }: TuningCase): string[] {
  return [
    setting,
    spread(runs.map(rateOf)),
    whole(median(runs.map(({ batches }) => batches))),
    fixed(median(runs.map(({ cpuSeconds }) => cpuSeconds)), 2),
    fixed(median(runs.map(({ postgresCpuSeconds }) => postgresCpuSeconds)), 2),
    whole(live?.latency.p50 ?? Number.NaN),
    whole(live?.latency.p99 ?? Number.NaN),
    fixed(live?.commitsPerSecond ?? Number.NaN, 1),
    percent(live?.workerCpu ?? Number.NaN),
    percent(live?.postgresCpu ?? Number.NaN),
  ]
}

/** Compares one write per message with the defaults, which use batches, a pool and overlapping work. */
function savingRows({ cases, naive }: TuningReport): string[][] {
  const byDefault = median(cases.find(({ setting }) => setting === 'default')?.runs.map(rateOf) ?? [])
  const row = (way: string, figures: { perSecond: number; commits: number; cpu: number; postgresCpu: number }) => [
    way,
    whole(figures.perSecond),
    whole(figures.commits),
    fixed(figures.cpu, 1),
    fixed(figures.postgresCpu, 1),
    fixed(byDefault / figures.perSecond, figures.perSecond * 10 > byDefault ? 1 : 0),
  ]
  const million = (value: number, messages: number) => (value / messages) * 1e6
  return [
    ...naive.map(({ way, messages, seconds, cpuSeconds, postgresCpuSeconds }) =>
      row(way, {
        perSecond: messages / seconds,
        commits: 1e6,
        cpu: million(cpuSeconds, messages),
        postgresCpu: million(postgresCpuSeconds, messages),
      }),
    ),
    ...cases.map(({ setting, runs }) => {
      const perMillion = (of: (run: (typeof runs)[number]) => number) =>
        median(runs.map((run) => million(of(run), run.messages)))
      return row(`market-kpi, ${setting}`, {
        perSecond: median(runs.map(rateOf)),
        commits: perMillion(({ batches }) => batches),
        cpu: perMillion(({ cpuSeconds }) => cpuSeconds),
        postgresCpu: perMillion(({ postgresCpuSeconds }) => postgresCpuSeconds),
      })
    }),
  ]
}

function rateOf({ messages, seconds }: { messages: number; seconds: number }): number {
  return messages / seconds
}
