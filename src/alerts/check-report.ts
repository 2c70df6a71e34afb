import { type HealthyItem, itemOf } from '../observe/checked-items.ts'
import { isAtLeast, severities, underName } from '../observe/finding.ts'
import { guidance } from './build-notification.ts'
import type { NotifiedAlert } from './notification.ts'
import { badge, oneLine } from './notifiers/wording.ts'
import { fingerprintOf, type Signal } from './signal.ts'

/** A finding in the output of `alerts check`: one line of text, or one element of the JSON. */
export interface CheckedAlert extends NotifiedAlert {
  /** The item that was checked, such as `Data freshness`; for a rule of market-kpi.yaml its name. */
  readonly check: string
  readonly isUnknown: boolean
  readonly inhibitedBy: string | null
}

/** An item that was checked and is healthy. */
interface HealthyCheck {
  readonly check: string
  readonly severity: 'info'
  readonly state: 'ok'
  readonly rule: null
  readonly summary: string
}

export interface CheckReport {
  /** Worst first, without symptoms and rules that could not be evaluated. */
  readonly alerts: readonly CheckedAlert[]
  readonly healthy: readonly HealthyCheck[]
  readonly symptoms: readonly CheckedAlert[]
  readonly unknown: readonly CheckedAlert[]
  /**
   * 0: at most information; 1: a warning; 2: a critical alert; 3: no known problem, but a rule could not be evaluated
   * that normally always can be.
   */
  readonly exitCode: 0 | 1 | 2 | 3
}

export interface Shown {
  /** Also shows symptoms, and all rules that could not be evaluated. */
  readonly isAll: boolean
  /** Leaves out information and healthy items. */
  readonly isQuiet: boolean
}

export function checkReport(
  { signals, healthy }: { readonly signals: readonly Signal[]; readonly healthy: readonly (HealthyItem | OwnRules)[] },
  given: { readonly nowMs: number; readonly runbookBaseUrl: string | undefined },
): CheckReport {
  const all = signals
    .map((signal) => checked(signal, given))
    .sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity))
  const alerts = all.filter(({ isUnknown, inhibitedBy }) => !isUnknown && inhibitedBy === null)
  const unknown = all.filter(({ isUnknown }) => isUnknown)
  const symptoms = all.filter(({ isUnknown, inhibitedBy }) => !isUnknown && inhibitedBy !== null)
  const fine = healthy.map(
    ({ name, summary }): HealthyCheck => ({ check: name, severity: 'info', state: 'ok', rule: null, summary }),
  )
  return { alerts, healthy: fine, symptoms, unknown, exitCode: exitCodeOf(alerts, unknown) }
}

type OwnRules = { readonly name: 'Own rules'; readonly summary: string }

/** The rules of market-kpi.yaml as one item; empty if there are none, or if one of them has a finding or failed. */
export function healthyOwnRules(names: readonly string[], signals: readonly Signal[]): OwnRules[] {
  if (names.length === 0 || signals.some(({ rule }) => rule === 'UserRuleFailing' || names.includes(rule))) return []
  const summary = `${names.length} ${names.length === 1 ? 'rule' : 'rules'} of market-kpi.yaml checked, nothing found`
  return [{ name: 'Own rules', summary }]
}

function exitCodeOf(alerts: readonly CheckedAlert[], unknown: readonly CheckedAlert[]): CheckReport['exitCode'] {
  const worst = alerts[0]?.severity ?? 'info'
  if (worst !== 'info') return worst === 'critical' ? 2 : 1
  return unknown.some(isWorthAWord) ? 3 : 0
}

/** Rules that are expected not to be evaluated, such as growth after a single observation, are left out. */
function isWorthAWord({ severity, inhibitedBy }: CheckedAlert): boolean {
  return isAtLeast(severity, 'warning') && inhibitedBy === null
}

function checked(
  signal: Signal,
  { nowMs, runbookBaseUrl }: { readonly nowMs: number; readonly runbookBaseUrl: string | undefined },
): CheckedAlert {
  return {
    ...signal,
    check: itemOf(signal) ?? signal.rule,
    fingerprint: fingerprintOf(signal),
    state: 'firing',
    firedAtMs: nowMs,
    resolvedAtMs: null,
    ...guidance(signal.rule, runbookBaseUrl),
  }
}

export function checkText({ alerts, healthy, symptoms, unknown }: CheckReport, { isAll, isQuiet }: Shown): string {
  const unclear = isAll ? unknown : unknown.filter(isWorthAWord)
  const shown = isQuiet ? alerts.filter(isWrong) : alerts
  const lines = [
    ...shown.map((alert) => line(badge(alert), alert)),
    ...unclear.map((alert) => line('⚪ [UNKNOWN]', alert)),
    ...(isAll ? symptoms.map((alert) => `${line(badge(alert), alert)}: because of ${alert.inhibitedBy}`) : []),
    ...(isQuiet ? [] : healthy.map(({ check, summary }) => oneLine(`🟢 [INFO] ${check}: ${summary}`))),
    `ALERTS: ${alerts.filter(isWrong).length} total`,
  ]
  return `${lines.join('\n')}\n`
}

function isWrong({ severity }: CheckedAlert): boolean {
  return isAtLeast(severity, 'warning')
}

/** `🔴 [CRITICAL] Kafka: 127.0.0.1:9092 does not answer (KafkaUnreachable)` */
function line(sign: string, { check, rule, summary, labels }: CheckedAlert): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  const named = [...(check === rule ? [] : [rule]), ...pairs].join(', ')
  return oneLine(`${sign} ${check}: ${underName(check, summary)}${named === '' ? '' : ` (${named})`}`)
}

export function checkJson({ alerts, healthy, symptoms, unknown }: CheckReport, { isAll, isQuiet }: Shown): string {
  const shown = [
    ...(isQuiet ? alerts.filter(isWrong) : [...alerts, ...healthy]),
    ...(isAll ? [...symptoms, ...unknown] : []),
  ]
  return `${JSON.stringify(shown)}\n`
}
