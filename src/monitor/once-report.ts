import type { Observation } from '../observe/observer.ts'
import { poolText } from '../observe/pool-text.ts'
import type { Source } from '../observe/snapshot.ts'
import { bytesText, grouped } from '../runtime/number-text.ts'
import { alertRows } from './alert-rows.ts'
import { clean, padTo, widthOf } from './cell-text.ts'
import { signs } from './line.ts'
import { percentText, rateText, trimmed } from './number-text.ts'
import { firstFinding } from './panels/header.ts'
import { spanText } from './panels/symbols.ts'
import type { TickData } from './tick-report.ts'

/** Limits for people; `--json` has everything. */
const maxLatest = 20
const maxSymbols = 500

/** One report of everything, as plain text in sections. */
export function onceReport(data: TickData): string {
  const { assessment, snapshot } = data.observation
  const time = new Date(snapshot.takenAtMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const sections = [
    [
      'REAL-TIME PIPELINE MONITORING DASHBOARD',
      `${time}  ${assessment.verdict.toUpperCase()}: ${firstFinding(assessment)}`,
    ],
    ['[KAFKA STATUS]', ...kafkaLines(data.observation)],
    ['[POSTGRESQL STATUS]', ...postgresLines(data.observation)],
    ['[CONSUMER STATUS]', ...consumerLines(data.observation)],
    ['[KPI STATISTICS BY SYMBOL]', ...statisticsLines(data)],
    ['[ALERTS]', ...alertsText(data)],
  ]
  return sections.map((lines) => `${lines.map(clean).join('\n')}\n`).join('\n')
}

function said<T extends object>(name: string, source: Source<T>, text: (told: T) => string): string {
  return `  ${name}: ${source.state === 'ok' ? text(source) : `unknown - ${source.reason}`}`
}

function status(source: Source<object>, isRight = true): string {
  if (source.state === 'unknown') return `UNREACHABLE - ${source.reason}`
  return isRight ? 'OK' : 'FAILED'
}

function kafkaLines({ snapshot, assessment }: Observation): string[] {
  const { cluster, topic, group, disk, log } = snapshot.kafka
  const isThere = topic.state === 'unknown' || topic.isThere
  return [
    `  status: ${status(cluster, isThere)}`,
    said('broker_count', cluster, ({ brokers }) => String(brokers.length)),
    said('controller_id', cluster, ({ controllerId }) => String(controllerId)),
    said('latency_ms', cluster, ({ latencyMs }) => latencyMs.toFixed(1)),
    said('topic', topic, () => (isThere ? snapshot.asked.topic : `'${snapshot.asked.topic}' does not exist`)),
    said('partitions', topic, ({ partitions }) => String(partitions.length)),
    said('messages', log, ({ partitions }) =>
      grouped(partitions.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)),
    ),
    said('topic_size', disk, ({ topicBytes }) => bytesText(topicBytes)),
    said('disk_used', assessment.measures.diskPercent, ({ value }) => percentText(value)),
    said('group_state', group, ({ groupState, members }) => `${groupState}, members: ${members.length}`),
  ]
}

function postgresLines({ snapshot }: Observation): string[] {
  const { server, kpi, symbols } = snapshot.postgres
  const latest = symbols.state === 'ok' ? symbols.symbols.toSorted((a, b) => b.newestEventAtMs - a.newestEventAtMs) : []
  const rows = latest
    .slice(0, maxLatest)
    .map(({ symbol, close, newestEventAtMs }) => [symbol, trimmed(close), new Date(newestEventAtMs).toISOString()])
  const rest = latest.length - rows.length
  return [
    `  Status: ${status(server)}`,
    said('Version', server, ({ serverVersion }) => serverVersion),
    said('Connections', server, (told) => `${told.connectionsUsed} of ${told.connectionsMax}`),
    said('Total Rows', kpi, (told) => `${told.isEstimate ? 'about ' : ''}${grouped(told.rows)}`),
    said('Table Size', kpi, ({ tableBytes }) => bytesText(tableBytes)),
    said('Index Size', kpi, ({ indexBytes }) => bytesText(indexBytes)),
    said('Latest Data by Symbol', symbols, () => (latest.length === 0 ? 'none yet' : '')).trimEnd(),
    ...columnLines(['Symbol', 'Close', 'Last Event'], rows, '    '),
    ...(rest > 0 ? [`    and ${grouped(rest)} more`] : []),
  ]
}

function consumerLines({ snapshot, assessment }: Observation): string[] {
  const { positions, workers } = snapshot.postgres
  const { lagMessages, throughputPerSecond, errorRatePercent, poolWaitPercent } = assessment.measures
  const sum = (pick: (worker: { batchesWritten: number; errors: number }) => number) =>
    said2(workers, (all) => grouped(all.filter(({ kind }) => kind === 'consumer').reduce((n, w) => n + pick(w), 0)))
  const consumers = assessment.workers.filter(({ worker }) => worker.kind === 'consumer')
  const gone = consumers.filter(({ word }) => word === 'gone').length
  const live = said2(
    workers,
    () => `${consumers.filter(({ isGone }) => !isGone).length}${gone > 0 ? `, and ${gone} gone` : ''}`,
  )
  return [
    `  workers: ${live}`,
    said('lag', lagMessages, ({ value }) => `${grouped(value)} messages`),
    said('throughput', throughputPerSecond, ({ value }) => rateText(value)),
    said('messages_processed', positions, ({ merged, rejected }) => grouped(merged + rejected)),
    said('rejected', positions, ({ rejected }) => grouped(rejected)),
    said('error_rate', errorRatePercent, ({ value }) => percentText(value)),
    `  batches_written: ${sum(({ batchesWritten }) => batchesWritten)}`,
    `  errors: ${sum(({ errors }) => errors)}`,
    said('connections', poolWaitPercent, () => poolText(assessment.measures) ?? ''),
    ...assessment.partitions.map(
      ({ partition, status: word, lagMessages: lag, blockedMessages: blocked, why }) =>
        `  partition ${partition}: ${word}, lag ${lag === null ? 'unknown' : grouped(lag)}${blocked ? `, ${grouped(blocked)} in or behind an open transaction` : ''}${why === '' ? '' : ` - ${why}`}`,
    ),
  ]
}

type Workers = Observation['snapshot']['postgres']['workers']

function said2(workers: Workers, text: (all: Extract<Workers, { state: 'ok' }>['workers']) => string): string {
  return workers.state === 'ok' ? text(workers.workers) : `unknown - ${workers.reason}`
}

function statisticsLines({ statistics }: TickData): string[] {
  if (statistics === null) return ['  not looked at']
  if (statistics.state === 'unknown') return [`  unknown - ${statistics.reason}`]
  const rows = statistics.symbols
    .slice(0, maxSymbols)
    .map((row) => [row.symbol, grouped(row.windows), row.avgPrice, row.minPrice, row.maxPrice, row.totalVolume])
  const rest = statistics.symbols.length - rows.length
  return [
    ...columnLines(['Symbol', 'Windows', 'Avg Price', 'Min', 'Max', 'Total Volume'], rows, '  '),
    ...(rest > 0 ? [`  and ${grouped(rest)} more`] : []),
    rows.length === 0 ? '  no rows yet' : `  (the last ${spanText(statistics.spanSeconds)} up to the newest window)`,
  ]
}

/** A table with the first column aligned left, the others right. */
function columnLines(titles: readonly string[], rows: readonly (readonly string[])[], indent: string): string[] {
  if (rows.length === 0) return []
  const table = [titles, ...rows.map((row) => row.map(clean))]
  const widths = titles.map((_, index) => Math.max(...table.map((row) => widthOf(row[index] ?? ''))))
  return table.map(
    (row) =>
      indent + row.map((cell, index) => padTo(cell, widths[index] ?? 0, index === 0 ? 'left' : 'right')).join('  '),
  )
}

function alertsText(data: TickData): string[] {
  const { alerts } = data
  const rows = alertRows(data).map(({ level, rule, summary, firedAtMs, silencedUntilMs }) => {
    const state = firedAtMs === null ? 'found' : silencedUntilMs === null ? 'firing' : 'silenced'
    return `  ${signs[level]} ${rule} (${state}): ${summary}`
  })
  const trouble = alerts?.state === 'unknown' ? [`  unknown - ${alerts.reason}`] : []
  return [...trouble, ...(rows.length + trouble.length === 0 ? ['  none'] : rows)]
}
