import type { Thresholds } from '../../config/thresholds.ts'

/** One rule as Prometheus gets it, before its times and its page. */
export interface AlertingRule {
  readonly alert: string
  readonly severity: 'info' | 'warning' | 'critical'
  /** PromQL; true of what is wrong. */
  readonly expr: string
  /** Besides severity and those of the expression. No two rules may make the same set. */
  readonly labels?: Readonly<Record<string, string>>
  /** Instead of the time that our evaluator waits before it fires. */
  readonly forSeconds?: number
  /** One line, with Prometheus' templates. */
  readonly summary: string
}

/** What rules are made from. */
export interface RuleSource {
  readonly thresholds: Thresholds
  /** From one look to the next, and from one evaluation of Prometheus to the next. */
  readonly intervalSeconds: number
}

export function critical(alert: string, rest: Omit<AlertingRule, 'alert' | 'severity'>): AlertingRule {
  return { alert, severity: 'critical', ...rest }
}

export function warning(alert: string, rest: Omit<AlertingRule, 'alert' | 'severity'>): AlertingRule {
  return { alert, severity: 'warning', ...rest }
}
