import type { Severity } from '../observe/finding.ts'
import type { Observation } from '../observe/observer.ts'
import type { StatisticsObservation } from '../store/windows/symbol-statistics.ts'

/** An alert that is firing, silenced or not. */
export interface FiringAlert {
  readonly rule: string
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  /** One line for people. */
  readonly summary: string
  readonly firedAtMs: number
  /** Null if it is not silenced. */
  readonly silencedUntilMs: number | null
}

/** Access to the alerts that the evaluator stores. Both methods throw KpiErrors. */
export interface AlertsPort {
  firing(signal: AbortSignal): Promise<readonly FiringAlert[]>
  /** Sends no notifications about the alert for this time. */
  silence(alert: Pick<FiringAlert, 'rule' | 'labels'>, durationSeconds: number): Promise<void>
}

/** The sources of everything that the monitor shows. */
export interface MonitorPorts {
  /** Makes a new observation, in bounded time. Unreachable servers are part of the result, not errors. */
  observe(): Promise<Observation>
  statistics(signal: AbortSignal): Promise<StatisticsObservation>
  readonly alerts: AlertsPort
}
