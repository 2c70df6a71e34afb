import type { UserRule } from '../../config/user-rules.ts'
import { isOwnMistake, KpiError, messageOf } from '../../errors.ts'
import type { PostgresOptions } from '../../store/client/connection.ts'
import { type ReadOnlyQuery, withReadOnlySession } from '../../store/client/read-only-session.ts'
import type { Signal } from '../signal.ts'
import { judgeKpi } from './kpi-rule.ts'
import { judgeSql } from './sql-rule.ts'

export interface UserRuleOptions {
  /** The pipeline's own role, for `kpi` conditions, whose statements are ours. */
  readonly postgres: PostgresOptions
  /** The role bi_reader, for the user's own SQL: whatever its text, it can do no more than this role. */
  readonly reader: PostgresOptions
  readonly rules: readonly UserRule[]
  readonly windowSeconds: number
  readonly now: () => number
}

/** For all rules of a kind together, so that slow ones do not delay an evaluation. */
const wholeTimeoutMs = 5000

/**
 * Evaluates the rules of market-kpi.yaml over read-only connections. A rule that fails or runs into the timeout results
 * in a finding, and does not resolve its earlier alerts. Throws only our own mistakes.
 */
export async function judgeUserRules(options: UserRuleOptions): Promise<Signal[]> {
  const { rules, postgres, reader } = options
  const isSql = ({ sql }: UserRule) => sql !== undefined
  const found = await Promise.all([
    judgeInSessions(
      rules.filter((rule) => !isSql(rule)),
      postgres,
      options,
    ),
    judgeInSessions(rules.filter(isSql), reader, options),
  ])
  return found.flat()
}

/** If a rule ends its session, the next rules run in a new one. */
async function judgeInSessions(
  rules: readonly UserRule[],
  postgres: PostgresOptions,
  options: UserRuleOptions,
): Promise<Signal[]> {
  const signals: Signal[] = []
  const endMs = performance.now() + wholeTimeoutMs
  let left = rules
  while (left.length > 0) {
    const { found, judged } = await judgeInSession(left, { postgres, timeoutMs: endMs - performance.now() }, options)
    signals.push(...found)
    left = left.slice(judged)
  }
  return signals
}

/** @returns The signals found, and how many of the rules were evaluated: at least one. */
async function judgeInSession(
  rules: readonly UserRule[],
  { postgres, timeoutMs }: { readonly postgres: PostgresOptions; readonly timeoutMs: number },
  options: UserRuleOptions,
): Promise<{ found: Signal[]; judged: number }> {
  const late = new KpiError('KPI_POSTGRES_UNREACHABLE', `not judged within ${wholeTimeoutMs / 1000} s`)
  const found: Signal[] = []
  let judged = 0
  let underway: UserRule | undefined
  try {
    await withReadOnlySession(postgres, { timeoutMs: Math.max(1, timeoutMs), late }, async (query) => {
      for (underway of rules) {
        found.push(...(await judgeOne(underway, query, options)))
        judged += 1
      }
    })
    return { found, judged }
  } catch (error) {
    if (isOwnMistake(error)) throw error
    if (underway && isItsOwn(error)) {
      const why = messageOf(error)
      return { found: [...found, unknownOf(underway, why), failing(underway, why)], judged: judged + 1 }
    }
    const rest = rules.slice(judged)
    const refusal = underway === undefined ? refusalOf(error) : undefined
    if (refusal !== undefined) {
      return { found: rest.flatMap((rule) => [unknownOf(rule, refusal), failing(rule, refusal)]), judged: rules.length }
    }
    // If the database is unavailable, there is another alert about that, so none for each rule.
    found.push(...rest.map((rule) => unknownOf(rule, messageOf(error))))
    if (error === late) found.push(...rest.slice(0, 1).map((rule) => failing(rule, 'it takes too long')))
    return { found, judged: rules.length }
  }
}

/** Classes of SQLSTATEs with which a working server refuses a role: 28 for its login, 53 for too many connections. */
const refusals = /^(28|53)/

/** Why the server refuses the role of the rules, which no other alert reports. Undefined for any other failure. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof KpiError)) return undefined
  if (error.code === 'KPI_POSTGRES_AUTH') return "SQL rules run as the role 'bi_reader': set BI_READER_PASSWORD"
  const isRefused = error.code === 'KPI_POSTGRES_RIGHTS' || refusals.test(String(stateOf(error) ?? ''))
  return isRefused ? messageOf(error) : undefined
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
    if (isOwnMistake(error) || isAway || endsSession(error)) throw error
    return [unknownOf(rule, messageOf(error)), failing(rule, messageOf(error))]
  }
}

/** The session was ended by an administrator's command, possibly by the rule's own statement. */
const sessionEnded = '57P01'
/** SQLSTATEs caused by the statement itself: a timeout, an attempt to write, a lock, a conflict, a deadlock. */
const ownStates: readonly unknown[] = ['57014', '25006', '55P03', '40001', '40P01', sessionEnded]

function isItsOwn(error: unknown): boolean {
  return ownStates.includes(stateOf(error))
}

function endsSession(error: unknown): boolean {
  return stateOf(error) === sessionEnded
}

function stateOf(error: unknown): unknown {
  return error instanceof KpiError ? (error.cause as { code?: unknown } | undefined)?.code : undefined
}

function unknownOf({ name, severity }: UserRule, summary: string): Signal {
  return { ...base, rule: name, severity, labels: {}, summary, isUnknown: true }
}

function failing({ name }: UserRule, why: string): Signal {
  const summary = `the rule ${name} of market-kpi.yaml cannot be judged: ${why}`
  return { ...base, rule: 'UserRuleFailing', severity: 'warning', labels: { rule: name }, summary, isUnknown: false }
}

const base = { stage: 'kpi', value: null, unit: null, inhibitedBy: null } as const
