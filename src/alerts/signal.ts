import { createHash } from 'node:crypto'
import { type Finding, isAtLeast, type Severity, type Stage } from '../observe/finding.ts'

/** What one evaluation found of one alert: a finding of the pipeline, or of a rule that is not its own. */
export interface Signal {
  readonly rule: string
  readonly severity: Severity
  readonly stage: Stage
  /** What tells two alerts of one rule apart; the same in every look at the same trouble. */
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly value: number | null
  readonly unit: string | null
  /** The rule could not be judged: it neither fires nor ends anything. */
  readonly isUnknown: boolean
  /** The rule whose finding explains this one. */
  readonly inhibitedBy: string | null
}

export function signalsOf(findings: readonly Finding[]): Signal[] {
  return findings.map((finding) => ({ ...finding }))
}

/** Names an alert for as long as there is one: its rule and labels, whatever its severity. Lower-case hexadecimal. */
export function fingerprintOf({ rule, labels }: Pick<Signal, 'rule' | 'labels'>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([rule, ...pairs]))
    .digest('hex')
    .slice(0, 16)
}

/** One signal for each fingerprint, the one that says most: a cause before a symptom, then the worst. */
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
