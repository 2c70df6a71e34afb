import { type HealthyItem, itemOf } from '../observe/checked-items.ts'
import { isAtLeast, severities, underName } from '../observe/finding.ts'
import { guidance } from './build-notification.ts'
import type { NotifiedAlert } from './notification.ts'
import { badge, oneLine } from './notifiers/wording.ts'
import { fingerprintOf, type Signal } from './signal.ts'

/** A finding as a line of `alerts check`, and as an element of its JSON. */
export interface CheckedAlert extends NotifiedAlert {
  /** What was checked: `Data freshness`; for a rule of market-kpi.yaml its name. */
  readonly check: string
  readonly isUnknown: boolean
  readonly inhibitedBy: string | null
}

/** What was checked and has nothing wrong with it. */
interface HealthyCheck {
  readonly check: string
  readonly severity: 'info'
  readonly state: 'ok'
  readonly rule: null
  readonly summary: string
}

export interface CheckReport {
  /** What counts: neither symptoms nor what cannot be judged. Worst first. */
  readonly alerts: readonly CheckedAlert[]
  readonly healthy: readonly HealthyCheck[]
  readonly symptoms: readonly CheckedAlert[]
  readonly unknown: readonly CheckedAlert[]
  /** 0 none but information, 1 warning, 2 critical, 3 nothing known to be wrong, but something that always can be judged. */
  readonly exitCode: 0 | 1 | 2 | 3
}

export interface Shown {
  /** With symptoms, and all that cannot be judged. */
  readonly isAll: boolean
  /** Without information. */
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

/** The rules of market-kpi.yaml as one item; none where there are no rules, or one of them found something or failed. */
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

/** What cannot be judged in the nature of things, such as growth after one observation, is left out. */
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
