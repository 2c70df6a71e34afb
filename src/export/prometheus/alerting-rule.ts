import type { Thresholds } from '../../config/thresholds.ts'
import type { RuleName } from '../../observe/finding.ts'

/** A Prometheus alerting rule, without its times and its runbook page. */
export interface AlertingRule {
  readonly alert: string
  readonly severity: 'info' | 'warning' | 'critical'
  /** PromQL that has a result while the problem exists. */
  readonly expr: string
  /** Labels in addition to the severity and those of the expression. No two rules may have the same labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Replaces the time for which our evaluator keeps the alert pending. */
  readonly forSeconds?: number
  /** One line, which may contain Prometheus' templates. */
  readonly summary: string
}

/** The settings from which rules are built. */
export interface RuleSource {
  readonly thresholds: Thresholds
  /** The interval of our evaluator, and of Prometheus. */
  readonly intervalSeconds: number
}

/** Functions that build the Prometheus rules for some rules of the pipeline. */
export type AlertingRules<Names extends RuleName> = Readonly<Record<Names, (source: RuleSource) => AlertingRule[]>>

export function critical(alert: string, rest: Omit<AlertingRule, 'alert' | 'severity'>): AlertingRule {
  return { alert, severity: 'critical', ...rest }
}

export function warning(alert: string, rest: Omit<AlertingRule, 'alert' | 'severity'>): AlertingRule {
  return { alert, severity: 'warning', ...rest }
}
