import type { Thresholds } from '../config/thresholds.ts'
import type { Assessment } from './assess.ts'
import { type Check, checksOf } from './checks.ts'
import { stageNames, underName } from './finding.ts'
import type { Measure } from './measures.ts'
import type { Observation } from './observer.ts'

const words = { ok: 'OK', warning: 'WARNING', failed: 'FAILED', unknown: 'UNKNOWN' } as const

export type Paint = (colour: 'green' | 'yellow' | 'red', text: string) => string

const colours = { ok: 'green', warning: 'yellow', failed: 'red', unknown: 'yellow' } as const

/** `Consumer lag: OK - 0 messages` */
function checkLine({ name, status, text }: Check, paint: Paint): string {
  return `${name}: ${paint(colours[status], words[status])}${text === '' ? '' : ` - ${text}`}`
}

/** The last line: that all systems work, or the first broken stage and its problem. */
function verdictLine({ verdict, firstBrokenStage, findings }: Assessment, paint: Paint): string {
  if (verdict === 'ok') return paint('green', 'ALL SYSTEMS OPERATIONAL ✓')
  const cause = findings.find(
    ({ stage, inhibitedBy, severity }) => stage === firstBrokenStage && inhibitedBy === null && severity !== 'info',
  )
  const name = firstBrokenStage ? stageNames[firstBrokenStage] : ''
  const why = cause ? `${name} - ${underName(name, cause.summary)}` : 'unknown'
  if (verdict === 'critical') return `${paint('red', 'SYSTEM FAILURE')}: ${why}`
  return `${paint('yellow', 'DEGRADED')}: ${verdict === 'unknown' ? `not all is known: ${why}` : why}`
}

/** @param isQuiet - Prints only checks with a warning or failure; nothing at all if the verdict is `ok`. */
export function healthText(
  observation: Observation,
  thresholds: Thresholds,
  { paint, isQuiet }: { paint: Paint; isQuiet: boolean },
): string {
  const { assessment } = observation
  if (isQuiet && assessment.verdict === 'ok') return ''
  const checks = checksOf(observation, thresholds)
  const shown = isQuiet ? checks.filter(({ status }) => status === 'warning' || status === 'failed') : checks
  return [...shown.map((check) => checkLine(check, paint)), '', verdictLine(assessment, paint), ''].join('\n')
}

const statuses = { ok: 'pass', unknown: 'pass', warning: 'warn', failed: 'fail' } as const
const verdicts = { ok: 'pass', unknown: 'warn', warning: 'warn', critical: 'fail' } as const

/**
 * The report as `application/health+json` (draft-inadarei-api-health-check). An unknown value is null, and `output`
 * says why.
 */
export function healthJson(observation: Observation, thresholds: Thresholds): Record<string, unknown> {
  const { snapshot, assessment } = observation
  const time = new Date(snapshot.takenAtMs).toISOString()
  const checks = checksOf(observation, thresholds).map(({ key, status, text, value, unit }) => [
    key,
    [
      {
        status: statuses[status],
        observedValue: value,
        observedUnit: unit,
        time,
        ...(status === 'ok' ? {} : { output: status === 'unknown' ? `unknown: ${text}` : text }),
      },
    ],
  ])
  return {
    status: verdicts[assessment.verdict],
    version: String(snapshot.version),
    serviceId: 'market-kpi',
    description: `the pipeline from the topic '${snapshot.asked.topic}' to its rows`,
    output: verdictLine(assessment, (_colour, text) => text),
    firstBrokenStage: assessment.firstBrokenStage,
    checks: Object.fromEntries(checks),
  }
}

const nagiosWords = { ok: 'OK', warning: 'WARNING', critical: 'CRITICAL', unknown: 'UNKNOWN' } as const

/** One line for Nagios and compatible systems: https://nagios-plugins.org/doc/guidelines.html#AEN200 */
export function healthPerfdata({ assessment }: Observation, thresholds: Thresholds): string {
  const { measures, verdict } = assessment
  const { lag, freshness, feedSilence, errorRate, pool, disk } = thresholds
  const percents = (limits: { warningPercent: number; criticalPercent: number }) =>
    `%;${limits.warningPercent};${limits.criticalPercent};0;100`
  const seconds = (limits: { warningSeconds: number; criticalSeconds: number }) =>
    `s;${limits.warningSeconds};${limits.criticalSeconds};0`
  const data = [
    perfdatum('consumer_lag', measures.lagMessages, `;${lag.warningMessages};;0`),
    perfdatum('throughput', measures.throughputPerSecond, ';;;0'),
    perfdatum('kpi_freshness', measures.freshnessSeconds, seconds(freshness)),
    perfdatum('feed_silence', measures.feedSilenceSeconds, seconds(feedSilence)),
    perfdatum('error_rate', measures.errorRatePercent, percents(errorRate)),
    perfdatum('connection_wait', measures.poolWaitPercent, percents(pool)),
    perfdatum('connection_wait_longest', measures.poolWaitMs, 'ms;;;0'),
    perfdatum('connection_pool', measures.poolUsedPercent, percents(pool)),
    perfdatum('kafka_disk', measures.diskPercent, percents(disk)),
  ]
  // The first `|` separates the text from the performance data.
  const text = verdictLine(assessment, (_colour, word) => word).replaceAll('|', '/')
  return `MARKET-KPI ${nagiosWords[verdict]} - ${text} | ${data.join(' ')}\n`
}

function perfdatum(label: string, measure: Measure, rest: string): string {
  if (measure.state === 'unknown') return `${label}=U`
  return `${label}=${Math.round(measure.value * 100) / 100}${rest}`
}
