import type { Thresholds } from '../../config/thresholds.ts'
import type { RuleName } from '../../observe/finding.ts'

/** One rule as Prometheus gets it, before its times and its page. */
export interface AlertingRule {
  readonly alert: string
  readonly severity: 'info' | 'warning' | 'critical'
  /** PromQL that has a result while something is wrong. */
  readonly expr: string
  /** Besides the severity and the labels of the expression. No two rules may result in the same labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Replaces the time that our evaluator waits before it fires. */
  readonly forSeconds?: number
  /** One line, with Prometheus' templates. */
  readonly summary: string
}

/** What rules are built from. */
export interface RuleSource {
  readonly thresholds: Thresholds
  /** The interval of our evaluator, and of Prometheus. */
  readonly intervalSeconds: number
}

/** The counterparts of some rules of the pipeline. */
export type AlertingRules<Names extends RuleName> = Readonly<Record<Names, (source: RuleSource) => AlertingRule[]>>

export function critical(alert: string, rest: Omit<AlertingRule, 'alert' | 'severity'>): AlertingRule {
  return { alert, severity: 'critical', ...rest }
}

export function warning(alert: string, rest: Omit<AlertingRule, 'alert' | 'severity'>): AlertingRule {
  return { alert, severity: 'warning', ...rest }
}
