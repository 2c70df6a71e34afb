import { type Finding, isAtLeast, type RuleName, ruleNames } from './finding.ts'
import { ruleTable } from './rule-table.ts'

/** The symptoms of each cause that has any. */
export const symptomsOf: readonly (readonly [cause: RuleName, symptoms: readonly RuleName[]])[] = ruleNames
  .map((cause) => [cause, ruleNames.filter((rule) => ruleTable[rule].explainedBy.includes(cause))] as const)
  .filter(([, symptoms]) => symptoms.length > 0)

/** A worker that ended is explained only by the rule of its own kind. */
export const kindOf: Partial<Record<RuleName, string>> = { FeedSilent: 'feed', NoConsumer: 'consumer' }

/**
 * Marks the findings that another one explains, with that one's rule. A cause explains nothing more severe than itself: a
 * warning never hides a critical finding.
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
