import type { Assessment } from '../observe/assess.ts'
import { severities } from '../observe/finding.ts'
import { type Level, levelOf } from './line.ts'
import type { FiringAlert } from './monitor-ports.ts'
import type { MonitorData } from './refresher.ts'

/** A row of the alerts panel: a firing alert, or a finding of the current observation that has not become an alert. */
export interface AlertRow {
  readonly rule: string
  readonly labels: Readonly<Record<string, string>>
  readonly level: Level
  readonly summary: string
  /** Null for a finding. */
  readonly firedAtMs: number | null
  readonly silencedUntilMs: number | null
}

/**
 * The alerts, worst first, then other findings of the observation. Symptoms are left out, since their cause is listed.
 */
export function alertRows({ alerts, observation }: Pick<MonitorData, 'alerts' | 'observation'>): AlertRow[] {
  const firing = alerts?.state === 'ok' ? alerts.firing.toSorted(worstFirst).map(ofAlert) : []
  const keys = new Set(firing.map(keyOf))
  const found = observation ? findingRows(observation.assessment) : []
  return [...firing, ...found.filter((row) => !keys.has(keyOf(row)))]
}

function ofAlert(alert: FiringAlert): AlertRow {
  return { ...alert, level: levelOf({ ...alert, isUnknown: false }) }
}

function findingRows({ findings }: Assessment): AlertRow[] {
  return findings
    .filter(({ inhibitedBy, severity, isUnknown }) => inhibitedBy === null && (severity !== 'info' || !isUnknown))
    .map((finding) => ({
      rule: finding.rule,
      labels: finding.labels,
      level: levelOf(finding),
      summary: finding.summary,
      firedAtMs: null,
      silencedUntilMs: null,
    }))
}

function worstFirst(a: FiringAlert, b: FiringAlert): number {
  const silenced = Number(a.silencedUntilMs !== null) - Number(b.silencedUntilMs !== null)
  return silenced || severities.indexOf(b.severity) - severities.indexOf(a.severity) || a.firedAtMs - b.firedAtMs
}

/** Identifies a problem; the same in every observation. */
function keyOf({ rule, labels }: Pick<AlertRow, 'rule' | 'labels'>): string {
  return JSON.stringify([rule, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}
