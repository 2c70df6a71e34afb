import type { Assessment } from '../../observe/assess.ts'
import { stageNames, underName } from '../../observe/finding.ts'
import { justified, type Line, signed, span, type Tone, verdictLevels } from '../line.ts'
import { ageText } from '../number-text.ts'
import type { MonitorData } from '../refresher.ts'

/** Data older than this number of intervals is marked as stale. */
const staleIntervals = 3
const staleAtLeastMs = 15_000

export interface Clock {
  /** Milliseconds since 1970, for the time shown. */
  readonly wallMs: number
  /** Milliseconds of a monotonic clock, for ages. */
  readonly steadyMs: number
}

function isStale({ observedAtMs, intervalMs }: MonitorData, { steadyMs }: Clock): boolean {
  return steadyMs - observedAtMs > Math.max(staleAtLeastMs, staleIntervals * intervalMs)
}

const verdictWords = { ok: 'OK', warning: 'WARNING', critical: 'CRITICAL', unknown: 'UNKNOWN' } as const

/** The first line has the verdict, the clock and the age of the data; the second one the first finding. */
export function headerLines(data: MonitorData, clock: Clock, width: number): Line[] {
  const { observation } = data
  const time = new Date(clock.wallMs).toISOString().slice(11, 19)
  const right: Line = [span(`${time}Z `, 'heading'), ...ageOf(data, clock)]
  if (!observation) {
    return [
      justified([span('market-kpi ', 'heading'), signed('unknown', 'waiting for the first check')], right, width),
      [],
    ]
  }
  const { verdict } = observation.assessment
  const level = isStale(data, clock) ? 'unknown' : verdictLevels[verdict]
  const word = isStale(data, clock) ? `was ${verdictWords[verdict]}` : verdictWords[verdict]
  const left: Line = [
    span('market-kpi ', 'heading'),
    signed(level, word),
    span(`  ${observation.snapshot.asked.topic}`, 'faint'),
  ]
  return [
    justified(left, right, width),
    [span(firstFinding(observation.assessment), level === 'good' ? 'plain' : level)],
  ]
}

/** The age is updated every second, so that it also grows while a source hangs. */
function ageOf(data: MonitorData, clock: Clock): Line {
  const age = ageText((clock.steadyMs - data.observedAtMs) / 1000)
  const paused: Line = data.isPaused ? [span('PAUSED ', 'warning')] : []
  if (!data.observation) return [...paused, span(`no data for ${age}`, 'faint')]
  if (isStale(data, clock)) return [...paused, signed('critical', `STALE: data ${age} old`)]
  const tone: Tone = 'faint'
  return [...paused, span(`data ${age} old`, tone)]
}

/** The first broken stage with its problem, or that all systems work. */
export function firstFinding({ verdict, firstBrokenStage, findings }: Assessment): string {
  if (verdict === 'ok') return 'all systems operational'
  const cause = findings.find(
    ({ stage, inhibitedBy, severity }) => stage === firstBrokenStage && inhibitedBy === null && severity !== 'info',
  )
  if (!firstBrokenStage || !cause) return 'not all is known'
  const name = stageNames[firstBrokenStage]
  return `${name}: ${underName(name, cause.summary)}`
}
