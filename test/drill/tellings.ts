import type { Notification } from '../../src/alerts/notification.ts'
import type { RuleName, Severity, Stage } from '../../src/observe/finding.ts'

/** That the receiver was told of one alert. */
export interface Telling {
  /** Monotonic. */
  readonly atMs: number
  readonly rule: string
  readonly severity: Severity
  readonly stage: Stage
  readonly state: 'firing' | 'resolved'
  readonly fingerprint: string
  readonly summary: string
}

/** The right alert of a fault. */
export interface Expected {
  readonly rule: RuleName
  readonly stage: Stage
  /** It may begin as the first of these and become the others. */
  readonly severities: readonly Severity[]
}

/** What was told between the beginning of a fault and the end of what followed from it. */
export interface Outcome {
  /** As it was told first; null when it never was. */
  readonly severity: Severity | null
  readonly detectedSeconds: number | null
  readonly resolvedSeconds: number | null
  /** A warning that became critical is one FIRING. */
  readonly firings: number
  readonly resolutions: number
  /** Others that were told of, with their severity. */
  readonly wrong: readonly string[]
}

export function tellingsOf({ reason, alerts }: Notification, atMs: number): Telling[] {
  if (reason !== 'firing' && reason !== 'resolved') return []
  return alerts.map(({ rule, severity, stage, state, fingerprint, summary }) => {
    return { atMs, rule, severity, stage, state, fingerprint, summary }
  })
}

export function isExpected({ rule, stage, severity }: Telling, expected: Expected): boolean {
  return rule === expected.rule && stage === expected.stage && expected.severities.includes(severity)
}

/** @param times - When the fault was there, and when it was repaired. */
export function outcomeOf(
  tellings: readonly Telling[],
  expected: Expected,
  times: { readonly brokenAtMs: number; readonly repairedAtMs: number },
): Outcome {
  const right = tellings.filter((telling) => isExpected(telling, expected))
  const first = right.find(({ state }) => state === 'firing')
  const last = right.findLast(({ state }) => state === 'resolved')
  const wrong = tellings.filter((telling) => !isExpected(telling, expected))
  return {
    severity: first?.severity ?? null,
    detectedSeconds: first ? (first.atMs - times.brokenAtMs) / 1000 : null,
    resolvedSeconds: last ? Math.max(0, last.atMs - times.repairedAtMs) / 1000 : null,
    firings: right.filter((telling, index) => isBeginning(telling, right.slice(0, index))).length,
    resolutions: right.filter(({ state }) => state === 'resolved').length,
    wrong: [...new Set(wrong.map(({ severity, rule }) => `${severity} ${rule}`))],
  }
}

/** Not where the same alert was firing already and has only become worse. */
function isBeginning({ state, fingerprint, severity }: Telling, before: readonly Telling[]): boolean {
  if (state !== 'firing') return false
  const last = before.findLast((telling) => telling.fingerprint === fingerprint)
  return last?.state !== 'firing' || last.severity === severity
}
