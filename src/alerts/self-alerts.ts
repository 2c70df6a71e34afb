import type { DeliveryProblem } from './notification-sender.ts'
import type { Signal } from './signal.ts'

/** A receiver that fails for a moment is tried again, without an alert. */
const failingAfterMs = 60_000
/** A receiver that got nothing since it refused may accept the next notification. */
const forgottenAfterMs = 86_400_000

const own = { stage: 'kpi', value: null, unit: null, isUnknown: false, inhibitedBy: null } as const

/** Always fires: a receiver that has not got it for a while knows that alerts do not arrive. */
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
