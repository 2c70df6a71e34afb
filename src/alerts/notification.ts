import type { Severity, Stage } from '../observe/finding.ts'

/** One alert as a receiver is told of it. Plain JSON values; a secret is in none of them. */
export interface NotifiedAlert {
  /** The same for every notification of one alert, in lower-case hexadecimal: rule and labels, severity left out. */
  readonly fingerprint: string
  readonly rule: string
  readonly severity: Severity
  readonly stage: Stage
  readonly state: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  /** One line for people: what is wrong, or, once it is resolved, what is right again and after how long. */
  readonly summary: string
  /** What was measured last; null where nothing could be. */
  readonly value: number | null
  readonly unit: string | null
  /** When the episode began to fire, in milliseconds since the Unix epoch. */
  readonly firedAtMs: number
  /** Null while it fires. */
  readonly resolvedAtMs: number | null
  /** The page that says what to do; null where ALERT_RUNBOOK_BASE_URL is not set. */
  readonly runbookUrl: string | null
  /** The command that prints the same page. */
  readonly explainCommand: string
}

/** Why a receiver is told now. */
export type NotificationReason = 'firing' | 'resolved' | 'repeat' | 'watchdog' | 'test'

/** The alerts of one group that are told of together, worst first; never empty. */
export interface Notification {
  /** Unique for every notification, the same in each attempt to deliver it. */
  readonly id: string
  /** Names the group: alerts of one stage and pipeline go together. */
  readonly groupKey: string
  readonly reason: NotificationReason
  /** `resolved` when every alert in it is. */
  readonly status: 'firing' | 'resolved'
  readonly alerts: readonly NotifiedAlert[]
  /** What tells pipelines apart: topic, group, and the host that evaluates. */
  readonly source: { readonly topic: string; readonly group: string; readonly evaluator: string }
  readonly sentAtMs: number
}

/** How a delivery ended. A permanent failure is not tried again: the receiver understood, and refused. */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'permanent'; readonly reason: string }
  | {
      readonly outcome: 'retryable'
      readonly reason: string
      /** How long the receiver asks us to wait before the next attempt, where it does. */
      readonly retryAfterMs?: number
    }

/** One way of telling people, made from the configuration. */
export interface Notifier {
  /** `slack`, or `slack:desk` where there are several; in logs and in the table of notifications. */
  readonly name: string
  /** Receivers that keep state of their own want every alert often; people want it once. */
  readonly isForMachines: boolean
  /**
   * One attempt, within its own timeout. Never throws.
   *
   * @param signal - Gives up at once when it is aborted, with a retryable failure.
   */
  deliver(notification: Notification, signal: AbortSignal): Promise<Delivery>
  /** Lets go of connections. Idempotent. */
  close(): Promise<void>
}
