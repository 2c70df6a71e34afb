import type { Severity } from '../observe/finding.ts'
import type { Observation } from '../observe/observer.ts'
import type { StatisticsObservation } from '../store/windows/symbol-statistics.ts'

/** An alert that is on now, silenced or not. */
export interface FiringAlert {
  readonly rule: string
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  /** One line for people. */
  readonly summary: string
  readonly firedAtMs: number
  /** Null while nobody silenced it. */
  readonly silencedUntilMs: number | null
}

/** The alerts of the pipeline, as their evaluator keeps them. Errors of both are KpiErrors. */
export interface AlertsPort {
  firing(signal: AbortSignal): Promise<readonly FiringAlert[]>
  /** Nobody is told of the alert for so long. */
  silence(alert: Pick<FiringAlert, 'rule' | 'labels'>, durationSeconds: number): Promise<void>
}

/** Where the monitor gets what it shows. */
export interface MonitorPorts {
  /** A fresh look; bounded in time, and never an error of the world. */
  observe(): Promise<Observation>
  statistics(signal: AbortSignal): Promise<StatisticsObservation>
  readonly alerts: AlertsPort
}
