import { databaseText } from '../database/text.ts'
import type { LatencyReport } from '../live/latency.ts'
import { checkIntervalMs } from '../live/visible-positions.ts'
import type { Machine } from '../machine.ts'
import { startUpText } from '../start-up/text.ts'
import type { CaseReport, ThroughputReport } from '../throughput/throughput.ts'
import { tuningText } from '../tuning/tuning-text.ts'
import type { Comparison } from './compare.ts'
import { fixed, markdownTable, percent, spread, whole } from './markdown.ts'
import type { BenchReport } from './saved-report.ts'
import { median } from './statistics.ts'

/** A report as Markdown: machine and versions, one section per part, and whether all results were exact. */
export function reportText(report: BenchReport): string {
  const { machine, librdkafka, plan, throughput, latency, tuning, database, startUp, problems } = report
  const sections = [
    machineText(machine, librdkafka),
    throughput && plan.throughput ? throughputText(throughput, plan.throughput, librdkafka) : '',
    latency && plan.latency ? latencyText(latency, plan.latency) : '',
    tuning && plan.tuning ? tuningText(tuning, plan.tuning) : '',
    database && plan.database ? databaseText(database, plan.database) : '',
    startUp ? startUpText(startUp) : '',
    throughput || latency || tuning || database ? exactText(problems) : '',
  ]
  return sections.filter((section) => section !== '').join('\n')
}

function exactText(problems: readonly string[]): string {
  if (problems.length === 0) return 'Every run: all messages accounted for, all rows exact.\n'
  return `NOT EXACT:\n${problems.map((problem) => `- ${problem}\n`).join('')}`
}

function machineText(machine: Machine, librdkafka: string | undefined): string {
  const { processors, memoryGb, system, node, kafka, postgres, marketKpi } = machine
  const raw = librdkafka === undefined ? '' : `, librdkafka ${librdkafka}`
  return `market-kpi ${marketKpi}, Node ${node}, Kafka ${kafka}, PostgreSQL ${postgres}${raw}
${processors}, ${memoryGb} GB, ${system}; broker, database and workers together on it
`
}

function throughputText(
  { cases, loadedPerSecond }: ThroughputReport,
  plan: { messages: number; partitions: number; runs: number },
  librdkafka: string | undefined,
): string {
  const titles = ['case', 'market-kpi', 'its fetch alone', 'librdkafka alone', 'ratio to librdkafka']
  const rows = cases.map((one) => {
    const own = one.runs.map(({ messages, seconds }) => messages / seconds)
    const ratio = median(own) / median(one.librdkafka)
    return [caseText(one), spread(own), spread(one.rawFetch), spread(one.librdkafka), fixed(ratio, 2)]
  })
  return `## Throughput

${whole(plan.messages)} messages in ${plan.partitions} partitions, until all is committed; messages/s, median of ${plan.runs} interleaved rounds (lowest to highest).
Plain reading does no work: our fetcher checks and counts records, librdkafka (kcat) drops them, its start included.${librdkafka === undefined ? ' kcat is not here.' : ''}

${markdownTable(titles, rows)}
${costText(cases)}
Filling the topics: ${spread(loadedPerSecond)} messages/s
`
}

function caseText({ name, symbols, windows, compression, unusualPercent, workers }: CaseReport): string {
  const parts = [
    `${symbols} symbols × ${windows} windows`,
    ...(compression === 'none' ? [] : [compression]),
    ...(unusualPercent === 0 ? [] : [`${unusualPercent} % unusual JSON`]),
    ...(workers === 1 ? [] : [`${workers} workers`]),
  ]
  return `${name}: ${parts.join(', ')}`
}

function costText(cases: readonly CaseReport[]): string {
  const titles = ['case', 's', 's with start', 'commits', 'rows written', 'worker CPU s', 'PostgreSQL CPU s', 'peak MB']
  const rows = cases.map(({ name, runs }) => [
    name,
    spread(
      runs.map(({ seconds }) => seconds),
      2,
    ),
    spread(
      runs.map(({ wholeSeconds }) => wholeSeconds),
      2,
    ),
    whole(median(runs.map(({ batches }) => batches))),
    whole(median(runs.map((run) => run.rows))),
    fixed(median(runs.map(({ cpuSeconds }) => cpuSeconds)), 2),
    fixed(median(runs.map(({ postgresCpuSeconds }) => postgresCpuSeconds)), 2),
    whole(Math.max(...runs.map(({ peakMemoryMb }) => peakMemoryMb))),
  ])
  return markdownTable(titles, rows)
}

function latencyText(
  { cases }: LatencyReport,
  { seconds, warmUpSeconds, runs }: { seconds: number; warmUpSeconds: number; runs: number },
): string {
  const titles = [
    'messages/s',
    'BATCH_WAIT_MS',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'most ms',
    'commits/s',
    'worker CPU',
    'PostgreSQL CPU',
    'peak MB',
    'sender late ms',
  ]
  const rows = cases.map(({ ratePerSecond, waitMs, runs: measured }) => [
    whole(ratePerSecond),
    String(waitMs),
    spread(measured.map(({ latency }) => latency.p50)),
    spread(measured.map(({ latency }) => latency.p99)),
    spread(measured.map(({ latency }) => latency.p999)),
    spread(measured.map(({ latency }) => latency.max)),
    fixed(median(measured.map(({ commitsPerSecond }) => commitsPerSecond)), 1),
    percent(median(measured.map(({ workerCpu }) => workerCpu))),
    percent(median(measured.map(({ postgresCpu }) => postgresCpu))),
    whole(Math.max(...measured.map(({ peakMemoryMb }) => peakMemoryMb))),
    whole(Math.max(...measured.map(({ latestHandOverMs }) => latestHandOverMs))),
  ])
  return `## Latency

From when a message was due, by a schedule that waits for nobody (open loop), to when its row could be read. ${seconds} s after ${warmUpSeconds} s of warm-up, ${runs === 1 ? 'one run' : `median of ${runs} runs`}.
Rows are looked for every ${checkIntervalMs} ms, which is in the figures, and in PostgreSQL's CPU; the producer's wait of 10 ms is in them too. CPU is of one core.

${markdownTable(titles, rows)}`
}

/** The result of a comparison, and the rule that it used. */
export function comparisonText(comparisons: readonly Comparison[], earlier: { startedAt: string }): string {
  const titles = ['figure', 'before', 'now', 'may be worse by', 'verdict']
  const rows = comparisons.map(({ name, unit, before, now, allowed, verdict }) => [
    `${name}, ${unit}`,
    `${whole(before.median)} (${whole(before.lowest)} to ${whole(before.highest)})`,
    `${whole(now.median)} (${whole(now.lowest)} to ${whole(now.highest)})`,
    whole(allowed),
    verdict === 'worse' ? 'WORSE' : verdict,
  ])
  return `## Against the report of ${earlier.startedAt}

Worse is a median beyond the worst run of before by more than the noise: 10 % of a rate or of a start, 25 % or 10 ms of a latency, or the spread of the runs before or now, whichever is largest.

${markdownTable(titles, rows)}`
}
