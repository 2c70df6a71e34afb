import type { Severity, Stage } from '../observe/finding.ts'

/** One alert in a notification. Plain JSON values without secrets. */
export interface NotifiedAlert {
  /**
   * Identifies the alert in all its notifications: a hash of rule and labels, not severity, in lower-case hexadecimal.
   */
  readonly fingerprint: string
  readonly rule: string
  readonly severity: Severity
  readonly stage: Stage
  readonly state: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  /** One line for people: the problem; for a resolved alert, what works again and after how long. */
  readonly summary: string
  /** The value measured last; null if there is none. */
  readonly value: number | null
  readonly unit: string | null
  /** When the alert began to fire, in milliseconds since the Unix epoch. */
  readonly firedAtMs: number
  /** Null while it fires. */
  readonly resolvedAtMs: number | null
  /** Address of the runbook page; null if ALERT_RUNBOOK_BASE_URL is not set. */
  readonly runbookUrl: string | null
  /** The command that prints the same page. */
  readonly explainCommand: string
}

/** Why a notification is sent. */
export type NotificationReason = 'firing' | 'resolved' | 'repeat' | 'watchdog' | 'test'

/** A notification about one or more alerts of the same group, worst first. */
export interface Notification {
  /** Unique for each notification, and the same in all attempts to deliver it. */
  readonly id: string
  /** Identifies the group: alerts of the same stage and pipeline are sent together. */
  readonly groupKey: string
  readonly reason: NotificationReason
  /** `resolved` if all its alerts are resolved. */
  readonly status: 'firing' | 'resolved'
  readonly alerts: readonly NotifiedAlert[]
  /** Identifies the pipeline: topic, group, and the host of the evaluator. */
  readonly source: { readonly topic: string; readonly group: string; readonly evaluator: string }
  readonly sentAtMs: number
}

/**
 * The result of one attempt. After a `permanent` failure there is no further attempt: the receiver refused the request.
 */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'permanent'; readonly reason: string }
  | {
      readonly outcome: 'retryable'
      readonly reason: string
      /** How long the receiver asks to wait before the next attempt, if it does. */
      readonly retryAfterMs?: number
    }

/** Delivers notifications to one receiver of the configuration. */
export interface Notifier {
  /** The receiver's name in logs and in the table of notifications, such as `slack` or `alertmanager:HOST`. */
  readonly name: string
  /**
   * Whether the receiver is a system that keeps alerts itself, and needs every firing alert once a minute. People get
   * repeats only after hours.
   */
  readonly isForMachines: boolean
  /**
   * Makes one attempt, within its own timeout. Never throws.
   *
   * @param signal - If it is aborted, the attempt ends at once with a retryable failure.
   */
  deliver(notification: Notification, signal: AbortSignal): Promise<Delivery>
  /** Closes connections. Idempotent. */
  close(): Promise<void>
}
