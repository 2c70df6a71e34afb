import { type Finding, isAtLeast, type RuleName, ruleNames } from './finding.ts'
import { ruleTable } from './rule-table.ts'

/** Each rule that inhibits others, with the rules that it inhibits. */
export const symptomsOf: readonly (readonly [cause: RuleName, symptoms: readonly RuleName[]])[] = ruleNames
  .map((cause) => [cause, ruleNames.filter((rule) => ruleTable[rule].explainedBy.includes(cause))] as const)
  .filter(([, symptoms]) => symptoms.length > 0)

/** `WorkerDown` is explained by these rules only if it is about a process of the same kind. */
export const kindOf: Partial<Record<RuleName, string>> = { FeedSilent: 'feed', NoConsumer: 'consumer' }

/**
 * Sets `inhibitedBy` on each finding that another one explains. A cause explains only findings that are not more severe
 * than itself, so a warning never hides a critical finding.
 */
export function markSymptoms(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => {
    const cause = ruleTable[finding.rule].explainedBy.find((rule) =>
      findings.some((other) => explains(other, rule, finding)),
    )
    return cause ? { ...finding, inhibitedBy: cause } : finding
  })
}

function explains(other: Finding, rule: RuleName, symptom: Finding): boolean {
  if (other.rule !== rule || other.isUnknown || other.severity === 'info') return false
  const kind = kindOf[rule]
  if (symptom.rule === 'WorkerDown' && kind !== undefined && symptom.labels.kind !== kind) return false
  return symptom.isUnknown || isAtLeast(other.severity, symptom.severity)
}
