import type { UserRule } from '../../config/user-rules.ts'
import { KpiError } from '../../errors.ts'
import type { ReadOnlyQuery } from '../../store/client/read-only-session.ts'
import type { Signal } from '../signal.ts'
import { figure, filledIn } from './summary.ts'

/** At most this many alerts of one rule: more are not separate problems. */
export const maxAlertsOfRule = 100

/** Each row of the query is an alert: the column `value` is the measured value, every other column a label. */
export async function judgeSql(rule: UserRule & { readonly sql: string }, query: ReadOnlyQuery): Promise<Signal[]> {
  // As a subquery the text can only be a query; with a parameter it can only be a single statement.
  const text = `SELECT * FROM (\n${rule.sql.replace(/;\s*$/, '')}\n) AS rows_of_rule LIMIT $1`
  const rows = await query(text, [maxAlertsOfRule])
  return rows.map((row) => alertOf(rule, row))
}

function alertOf(rule: UserRule, row: Readonly<Record<string, unknown>>): Signal {
  const { value: measured = null, ...columns } = row
  const value = measured === null ? null : Number(measured)
  if (value !== null && !Number.isFinite(value)) {
    throw new KpiError('KPI_CONFIG_INVALID', `the column 'value' of the rule ${rule.name} is no number`)
  }
  const found = Object.entries(columns).map(([name, held]) => [name, textOf(held)] as const)
  const labels = { ...Object.fromEntries(found), ...rule.labels }
  const shown = value === null ? '' : figure(value)
  const summary = filledIn(rule.summary ?? (shown ? '{value}' : 'found'), { ...labels, value: shown })
  const { name, severity } = rule
  return { rule: name, severity, stage: 'kpi', labels, summary, value, unit: null, isUnknown: false, inhibitedBy: null }
}

function textOf(held: unknown): string {
  const text =
    held instanceof Date ? held.toISOString() : typeof held === 'object' ? JSON.stringify(held) : String(held)
  return text.slice(0, 200)
}
