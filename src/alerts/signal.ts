import { createHash } from 'node:crypto'
import { type Finding, isAtLeast, type Severity, type Stage } from '../observe/finding.ts'

/**
 * The result of one evaluation for one alert: a finding of the pipeline, of market-kpi.yaml or of the alerting itself.
 */
export interface Signal {
  readonly rule: string
  readonly severity: Severity
  readonly stage: Stage
  /** Labels distinguish two alerts of one rule. They are the same in every observation of the same problem. */
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly value: number | null
  readonly unit: string | null
  /** Whether the rule could not be evaluated. Such a signal neither starts nor resolves an episode. */
  readonly isUnknown: boolean
  /** The rule whose finding is the cause of this one. */
  readonly inhibitedBy: string | null
}

export function signalsOf(findings: readonly Finding[]): Signal[] {
  return findings.map((finding) => ({ ...finding }))
}

/** Identifies an alert by its rule and labels, independent of its severity. Lower-case hexadecimal. */
export function fingerprintOf({ rule, labels }: Pick<Signal, 'rule' | 'labels'>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([rule, ...pairs]))
    .digest('hex')
    .slice(0, 16)
}

/**
 * One signal for each fingerprint, without those that could not be evaluated. If there are several, a cause is
 * preferred to a symptom, then the most severe one.
 */
export function knownByFingerprint(signals: readonly Signal[]): Map<string, Signal> {
  const known = new Map<string, Signal>()
  for (const signal of signals) {
    if (signal.isUnknown) continue
    const key = fingerprintOf(signal)
    const other = known.get(key)
    if (!other || saysMore(signal, other)) known.set(key, signal)
  }
  return known
}

function saysMore(signal: Signal, other: Signal): boolean {
  const isCause = signal.inhibitedBy === null
  if (isCause !== (other.inhibitedBy === null)) return isCause
  return signal.severity !== other.severity && isAtLeast(signal.severity, other.severity)
}
