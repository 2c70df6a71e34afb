import type { Observation } from '../../observe/observer.ts'
import { bytesText, counted, grouped } from '../../runtime/number-text.ts'
import { wrapTo } from '../cell-text.ts'
import { cells, type Line, signed, span } from '../line.ts'
import { ageText, percentText, trimmed } from '../number-text.ts'
import { factOf, findingLines, type PanelText, stageLevel, worst } from './panel.ts'

export function postgresPanel(observation: Observation, width: number): PanelText {
  const isUnknown = observation.snapshot.postgres.server.state === 'unknown'
  const level = worst([stageLevel(observation, 'postgres', 'kpi'), isUnknown ? 'unknown' : 'good'])
  return { title: 'PostgreSQL', level, summary: summary(observation, width), detail: detail(observation) }
}

function summary({ snapshot, assessment }: Observation, width: number): Line[] {
  const { server, kpi, schema } = snapshot.postgres
  if (server.state === 'unknown') {
    return wrapTo(server.reason, width - 4, 3).map((text, index) => [
      index === 0 ? signed('critical', text) : span(`  ${text}`, 'critical'),
    ])
  }
  const wrong = assessment.findings.find(({ rule, isUnknown }) => rule === 'SchemaInvalid' && !isUnknown)
  const { serverVersion, latencyMs, connectionsUsed, connectionsMax } = server
  const { freshnessSeconds, replay } = assessment.measures
  const age = replay ? 'behind the replay' : 'old'
  const newestText =
    freshnessSeconds.state === 'ok' ? `, ${replay ? '' : 'newest '}${ageText(freshnessSeconds.value)} ${age}` : ''
  const version = serverVersion.split(' ')[0] ?? ''
  return [
    [span(` ${version}, ${latencyMs.toFixed(1)} ms, ${connectionsUsed} of ${connectionsMax} connections`)],
    wrong && schema.state === 'ok' ? [signed('critical', wrong.summary)] : [span(` ${rowsText(kpi)}${newestText}`)],
    [span(` ${sizesText(kpi)}`)],
  ]
}

type Kpi = Observation['snapshot']['postgres']['kpi']

function rowsText(kpi: Kpi): string {
  if (kpi.state === 'unknown') return `rows unknown: ${kpi.reason}`
  return kpi.rows === 0 ? 'no rows yet' : `${kpi.isEstimate ? 'about ' : ''}${counted(kpi.rows, 'row')}`
}

function sizesText(kpi: Kpi): string {
  if (kpi.state === 'unknown') return ''
  const hot = kpi.hotUpdateRatio === null ? '' : `, HOT ${percentText(kpi.hotUpdateRatio * 100)}`
  return `${bytesText(kpi.tableBytes)} + ${bytesText(kpi.indexBytes)} indexes${hot}`
}

function detail(observation: Observation): Line[] {
  const { snapshot, assessment } = observation
  const { server, schema, kpi, deadLetters, positions } = snapshot.postgres
  return [
    ...findingLines(assessment.findings, 'postgres', 'kpi'),
    factOf('Version', server, (told) => `${told.serverVersion}${told.isStandby ? ', a standby' : ''}`),
    factOf('Latency', server, ({ latencyMs }) => `${latencyMs.toFixed(1)} ms`),
    factOf('Clock', server, ({ clockAheadMs }) => `${Math.round(clockAheadMs)} ms ahead of this machine's`),
    factOf('Connections', server, (told) => `${told.connectionsUsed} of ${told.connectionsMax}`),
    factOf('Schema', schema, ({ missingMigrations, missingParts }) =>
      missingMigrations.length + missingParts.length === 0
        ? 'as it should be'
        : `missing: ${[...missingMigrations, ...missingParts].join(', ')}`,
    ),
    factOf('Rows', kpi, () => rowsText(kpi)),
    factOf('Sizes', kpi, () => sizesText(kpi)),
    factOf('Merged', positions, ({ merged, rejected }) => `${grouped(merged)} messages, ${grouped(rejected)} rejected`),
    factOf('Rejected, 5 min', deadLetters, ({ recentByReason, isCapped }) => {
      const reasons = Object.entries(recentByReason).map(([reason, count]) => `${reason} ${grouped(count)}`)
      return reasons.length === 0 ? 'none' : `${isCapped ? 'at least ' : ''}${reasons.join(', ')}`
    }),
    [],
    ...latestLines(observation),
  ]
}

const columns = [
  { title: 'Symbol', width: 32 },
  { title: 'Latest close', width: 20, align: 'right' },
  { title: 'Age', width: 8, align: 'right' },
] as const

/** Newest first. */
function latestLines({ snapshot }: Observation): Line[] {
  const { symbols } = snapshot.postgres
  if (symbols.state === 'unknown') return []
  const rows = symbols.symbols
    .toSorted((a, b) => b.newestEventAtMs - a.newestEventAtMs)
    .map(({ symbol, close, newestEventAtMs }): Line => {
      const age = ageText((snapshot.takenAtMs - newestEventAtMs) / 1000)
      return [span(cells(columns, [symbol, trimmed(close), age]))]
    })
  const titles = columns.map(({ title }) => title)
  return [[span(cells(columns, titles), 'heading')], ...rows]
}
