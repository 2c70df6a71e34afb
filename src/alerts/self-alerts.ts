import type { DeliveryProblem } from './notification-sender.ts'
import type { Signal } from './signal.ts'

/** A receiver that fails for a shorter time raises no alert: the notification is sent again. */
const failingAfterMs = 60_000
/** If nothing was sent to the receiver for a day after it failed, the failure is out of date. */
const forgottenAfterMs = 86_400_000

const own = { stage: 'kpi', value: null, unit: null, isUnknown: false, inhibitedBy: null } as const

/** An alert that always fires. If a receiver does not get it for a while, alerts do not arrive there. */
export const watchdog: Signal = {
  ...own,
  rule: 'Watchdog',
  severity: 'info',
  labels: {},
  summary: 'alerts are evaluated and sent; this alert always fires',
}

export function notifierFailing(receiver: string, problem: DeliveryProblem | null, nowMs: number): Signal[] {
  if (!problem || (!problem.isPermanent && nowMs - problem.sinceMs < failingAfterMs)) return []
  if (nowMs - problem.lastAtMs > forgottenAfterMs) return []
  const how = problem.isPermanent ? 'refuses alerts' : 'does not accept alerts; they are sent again'
  const summary = `'${receiver}' ${how}: ${problem.reason}`
  return [{ ...own, rule: 'NotifierFailing', severity: 'warning', labels: { notifier: receiver }, summary }]
}
