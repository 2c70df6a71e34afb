import type { UserRule } from '../../config/user-rules.ts'
import { isOwnMistake, KpiError, messageOf } from '../../errors.ts'
import type { PostgresOptions } from '../../store/connection.ts'
import { type ReadOnlyQuery, withReadOnlySession } from '../../store/read-only-session.ts'
import type { Signal } from '../signal.ts'
import { judgeKpi } from './kpi-rule.ts'
import { judgeSql } from './sql-rule.ts'

export interface UserRuleOptions {
  readonly postgres: PostgresOptions
  readonly rules: readonly UserRule[]
  readonly windowSeconds: number
  readonly now: () => number
}

/** For all rules together: an evaluation must not wait for the slow ones. */
const wholeTimeoutMs = 5000

/**
 * What the rules of market-kpi.yaml find, over one connection that can only read. A rule that fails is a finding, and so
 * is one that there was no time for; neither ends what the rule found before. Throws nothing but our own mistakes.
 */
export async function judgeUserRules(options: UserRuleOptions): Promise<Signal[]> {
  const { rules, postgres } = options
  if (rules.length === 0) return []
  const signals: Signal[] = []
  const left = [...rules]
  const late = new KpiError('KPI_POSTGRES_UNREACHABLE', `not judged within ${wholeTimeoutMs / 1000} s`)
  try {
    await withReadOnlySession(postgres, { timeoutMs: wholeTimeoutMs, late }, async (query) => {
      for (let rule = left[0]; rule; rule = left[0]) {
        signals.push(...(await judgeOne(rule, query, options)))
        left.shift()
      }
    })
  } catch (error) {
    if (isOwnMistake(error)) throw error
    // Without the database there is an alert about that, which is enough.
    for (const rule of left) signals.push(unknownOf(rule, messageOf(error)))
    if (error === late) signals.push(...left.slice(0, 1).map((rule) => failing(rule, 'it takes too long')))
  }
  return signals
}

async function judgeOne(rule: UserRule, query: ReadOnlyQuery, options: UserRuleOptions): Promise<Signal[]> {
  const { windowSeconds, now } = options
  try {
    if (rule.sql !== undefined) return await judgeSql({ ...rule, sql: rule.sql }, query)
    if (rule.kpi !== undefined)
      return await judgeKpi({ ...rule, kpi: rule.kpi }, query, { nowMs: now(), windowSeconds })
    return []
  } catch (error) {
    const isAway = error instanceof KpiError && error.code === 'KPI_POSTGRES_UNREACHABLE' && !isItsOwn(error)
    if (isOwnMistake(error) || isAway) throw error
    return [unknownOf(rule, messageOf(error)), failing(rule, messageOf(error))]
  }
}

/** SQLSTATEs that are the statement's own doing: its time is over, it wanted to write, it met a lock. */
const ownStates: readonly unknown[] = ['57014', '25006', '55P03', '40001', '40P01']

function isItsOwn(error: KpiError): boolean {
  return ownStates.includes((error.cause as { code?: unknown } | undefined)?.code)
}

function unknownOf({ name, severity }: UserRule, summary: string): Signal {
  return { ...base, rule: name, severity, labels: {}, summary, isUnknown: true }
}

function failing({ name }: UserRule, why: string): Signal {
  const summary = `the rule ${name} of market-kpi.yaml cannot be judged: ${why}`
  return { ...base, rule: 'UserRuleFailing', severity: 'warning', labels: { rule: name }, summary, isUnknown: false }
}

const base = { stage: 'kpi', value: null, unit: null, inhibitedBy: null } as const
