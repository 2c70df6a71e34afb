import { isAtLeast, severities } from '../observe/finding.ts'
import { runbookUrl } from './compose.ts'
import type { NotifiedAlert } from './notification.ts'
import { headline } from './notifiers/wording.ts'
import { fingerprintOf, type Signal } from './signal.ts'

/** One line of `alerts check`, and one element of its JSON. */
export interface CheckedAlert extends NotifiedAlert {
  readonly isUnknown: boolean
  readonly inhibitedBy: string | null
}

export interface CheckReport {
  /** What counts: neither symptoms nor what nobody can tell. Worst first. */
  readonly alerts: readonly CheckedAlert[]
  readonly symptoms: readonly CheckedAlert[]
  readonly unknown: readonly CheckedAlert[]
  /** 0 none but information, 1 warning, 2 critical, 3 nothing known to be wrong, but something that always can be judged. */
  readonly exitCode: 0 | 1 | 2 | 3
}

export function checkReport(
  signals: readonly Signal[],
  given: { readonly nowMs: number; readonly runbookBaseUrl: string | undefined },
): CheckReport {
  const all = signals
    .map((signal) => checked(signal, given))
    .sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity))
  const alerts = all.filter(({ isUnknown, inhibitedBy }) => !isUnknown && inhibitedBy === null)
  const unknown = all.filter(({ isUnknown }) => isUnknown)
  const symptoms = all.filter(({ isUnknown, inhibitedBy }) => !isUnknown && inhibitedBy !== null)
  return { alerts, symptoms, unknown, exitCode: exitCodeOf(alerts, unknown) }
}

function exitCodeOf(alerts: readonly CheckedAlert[], unknown: readonly CheckedAlert[]): CheckReport['exitCode'] {
  const worst = alerts[0]?.severity ?? 'info'
  if (worst !== 'info') return worst === 'critical' ? 2 : 1
  return unknown.some(isWorthAWord) ? 3 : 0
}

/** What cannot be told in the nature of things, such as growth after one look, is left out. */
function isWorthAWord({ severity, inhibitedBy }: CheckedAlert): boolean {
  return isAtLeast(severity, 'warning') && inhibitedBy === null
}

function checked(
  signal: Signal,
  { nowMs, runbookBaseUrl }: { readonly nowMs: number; readonly runbookBaseUrl: string | undefined },
): CheckedAlert {
  return {
    ...signal,
    fingerprint: fingerprintOf(signal),
    state: 'firing',
    firedAtMs: nowMs,
    resolvedAtMs: null,
    runbookUrl: runbookUrl(signal.rule, runbookBaseUrl),
  }
}

/** @param isAll - With symptoms, and all that cannot be told. */
export function checkText({ alerts, symptoms, unknown }: CheckReport, isAll: boolean): string {
  const unclear = isAll ? unknown : unknown.filter(isWorthAWord)
  const lines = [
    ...alerts.map(headline),
    ...unclear.map((alert) => headline(alert).replace(/^.*?\]/, '⚪ [UNKNOWN]')),
    ...(isAll ? symptoms.map((alert) => `${headline(alert)}: because of ${alert.inhibitedBy}`) : []),
    `ALERTS: ${alerts.length} total`,
  ]
  return `${lines.join('\n')}\n`
}

export function checkJson({ alerts, symptoms, unknown }: CheckReport, isAll: boolean): string {
  return `${JSON.stringify(isAll ? [...alerts, ...symptoms, ...unknown] : alerts)}\n`
}
