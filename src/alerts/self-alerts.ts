import type { Trouble } from './notification-sender.ts'
import type { Signal } from './signal.ts'

/** A receiver that is away for a moment is tried again, and no trouble yet. */
const failingAfterMs = 60_000
/** One that has had nothing to take since it refused may take the next. */
const forgottenAfterMs = 86_400_000

const own = { stage: 'kpi', value: null, unit: null, isUnknown: false, inhibitedBy: null } as const

/** Always on: a receiver that does not hear of it for a while knows that alerts do not reach it. */
export const watchdog: Signal = {
  ...own,
  rule: 'Watchdog',
  severity: 'info',
  labels: {},
  summary: 'alerts are evaluated and sent; this one is always on',
}

export function notifierFailing(receiver: string, trouble: Trouble | null, nowMs: number): Signal[] {
  if (!trouble || (!trouble.isPermanent && nowMs - trouble.sinceMs < failingAfterMs)) return []
  if (nowMs - trouble.lastAtMs > forgottenAfterMs) return []
  const how = trouble.isPermanent ? 'refuses alerts' : 'does not take alerts, which are tried again'
  const summary = `'${receiver}' ${how}: ${trouble.reason}`
  return [{ ...own, rule: 'NotifierFailing', severity: 'warning', labels: { notifier: receiver }, summary }]
}
