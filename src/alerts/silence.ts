import { suggestion } from '../config/nearest.ts'
import { fitsPattern } from '../config/symbol-pattern.ts'
import { KpiError } from '../errors.ts'
import { severities, stages } from '../observe/finding.ts'
import type { Episode } from './episode.ts'

/** One condition: `rule`, `severity`, `stage` or a label has a value, in which `*` stands for anything. */
export interface Matcher {
  readonly name: string
  readonly value: string
}

/** Mutes what all its matchers fit, until it expires. */
export interface Silence {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly expiresAtMs: number
}

const form = /^([A-Za-z_][\w.-]{0,62})=(.{1,200})$/

/**
 * `ConsumerLagHigh` is the name of a rule, `symbol=BTC*` a label.
 *
 * @throws KpiError `KPI_USAGE`.
 */
export function parseMatcher(text: string): Matcher {
  const [, name, value] = form.exec(text) ?? []
  if (name !== undefined && value !== undefined) return { name, value }
  if (/^[A-Za-z*][\w*.-]{0,62}$/.test(text)) return { name: 'rule', value: text }
  throw new KpiError('KPI_USAGE', `'${text}' is neither the name of a rule nor label=value`)
}

/** What alerts there can be: those of market-kpi, of market-kpi.yaml, and any that there were. */
export interface KnownAlerts {
  readonly rules: readonly string[]
  readonly labels: readonly string[]
  /** A rule with SQL makes labels of its columns, whatever they are called. */
  readonly hasAnyLabel: boolean
}

/**
 * A silence that mutes nothing is a typing mistake, which nobody would notice before the alert comes.
 *
 * @throws KpiError `KPI_USAGE` naming what no alert can have, and what they can.
 */
export function checkMatcher({ name, value }: Matcher, { rules, labels, hasAnyLabel }: KnownAlerts): void {
  const values: Readonly<Record<string, readonly string[]>> = { rule: rules, severity: severities, stage: stages }
  const names = [...Object.keys(values), ...labels]
  if (!hasAnyLabel && !names.includes(name)) throw unknownOf(`no alert has a label '${name}'`, name, names)
  const allowed = values[name]
  // A label may be called as one of ours, and its values are anybody's.
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
  // A label may be called as one of ours: UserRuleFailing has one that is called `rule`.
  return [own[name], labels[name]].some((held) => held !== undefined && fitsPattern(value, held))
}
