import { suggestion } from '../config/nearest.ts'
import { fitsPattern } from '../config/symbol-pattern.ts'
import { KpiError } from '../errors.ts'
import { severities, stages } from '../observe/finding.ts'
import type { Episode } from './episode.ts'

/** One condition on `rule`, `severity`, `stage` or a label. `*` in the value matches any text. */
export interface Matcher {
  readonly name: string
  readonly value: string
}

/** Mutes alerts that all its matchers fit, until it expires. */
export interface Silence {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly expiresAtMs: number
}

const form = /^([A-Za-z_][\w.-]{0,62})=(.{1,200})$/

/**
 * Parses a rule's name such as `ConsumerLagHigh`, or a label such as `symbol=BTC*`.
 *
 * @throws KpiError `KPI_USAGE`.
 */
export function parseMatcher(text: string): Matcher {
  const [, name, value] = form.exec(text) ?? []
  if (name !== undefined && value !== undefined) return { name, value }
  if (/^[A-Za-z*][\w*.-]{0,62}$/.test(text)) return { name: 'rule', value: text }
  throw new KpiError('KPI_USAGE', `'${text}' is neither the name of a rule nor label=value`)
}

/** Rules and labels that alerts can have: those of market-kpi, of market-kpi.yaml, and of stored alerts. */
export interface KnownAlerts {
  readonly rules: readonly string[]
  readonly labels: readonly string[]
  /** Whether any label is possible, because a rule with SQL turns its columns into labels. */
  readonly hasAnyLabel: boolean
}

/**
 * Rejects a matcher that fits no possible alert. It is a typing mistake that would not be noticed before the alert
 * fires.
 *
 * @throws KpiError `KPI_USAGE` with the name or value that no alert can have, and a suggestion.
 */
export function checkMatcher({ name, value }: Matcher, { rules, labels, hasAnyLabel }: KnownAlerts): void {
  const values: Readonly<Record<string, readonly string[]>> = { rule: rules, severity: severities, stage: stages }
  const names = [...Object.keys(values), ...labels]
  if (!hasAnyLabel && !names.includes(name)) throw unknownOf(`no alert has a label '${name}'`, name, names)
  const allowed = values[name]
  // A label may have the name of one of these fields, and can then have any value.
  if (!allowed || labels.includes(name) || allowed.some((one) => fitsPattern(value, one))) return
  throw unknownOf(`there is no alert ${name} '${value}'`, value, allowed)
}

function unknownOf(what: string, given: string, allowed: readonly string[]): KpiError {
  return new KpiError('KPI_USAGE', `${what}: ${suggestion(given, allowed)}`)
}

type Muted = Pick<Episode, 'rule' | 'severity' | 'stage' | 'labels'>

export function isSilenced(alert: Muted, silences: readonly Silence[], nowMs: number): boolean {
  return silences.some(({ matchers, expiresAtMs }) => expiresAtMs > nowMs && matchers.every((m) => fits(m, alert)))
}

function fits({ name, value }: Matcher, { rule, severity, stage, labels }: Muted): boolean {
  const own: Readonly<Record<string, string>> = { rule, severity, stage }
  // A label may have the name of one of these fields: UserRuleFailing has a label `rule`.
  return [own[name], labels[name]].some((held) => held !== undefined && fitsPattern(value, held))
}
