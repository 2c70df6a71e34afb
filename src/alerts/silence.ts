import { fitsPattern } from '../config/symbol-pattern.ts'
import { KpiError } from '../errors.ts'
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

type Muted = Pick<Episode, 'rule' | 'severity' | 'stage' | 'labels'>

export function isSilenced(alert: Muted, silences: readonly Silence[], nowMs: number): boolean {
  return silences.some(({ matchers, expiresAtMs }) => expiresAtMs > nowMs && matchers.every((m) => fits(m, alert)))
}

function fits({ name, value }: Matcher, { rule, severity, stage, labels }: Muted): boolean {
  const own: Readonly<Record<string, string>> = { rule, severity, stage }
  // A label may be called as one of ours: UserRuleFailing has one that is called `rule`.
  return [own[name], labels[name]].some((held) => held !== undefined && fitsPattern(value, held))
}
