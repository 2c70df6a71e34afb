import { z } from 'zod'
import { KpiError } from '../errors.ts'
import { suggestion } from './nearest.ts'

/** What a KPI condition can measure for each symbol, over its lookback time. */
const kpiMeasures = [
  'close_change_percent',
  'volume',
  'volatility_percent',
  'trade_count',
  'vwap_distance_percent',
] as const

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const day = 86_400_000

const duration = z
  .string()
  .regex(/^\d{1,6}[smhd]$/, 'must be a time such as 90s, 15m or 2h')
  .transform((text) => Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs])

const decimal = z
  .string()
  .regex(/^-?\d{1,15}(\.\d{1,9})?$/, 'must be a number')
  .transform(Number)

const labelName = z.string().regex(/^[A-Za-z_]\w{0,62}$/, 'must consist of A-Z, a-z, 0-9 and _')

const kpi = z
  .strictObject({
    symbols: z.string().min(1).default('*'),
    measure: z.enum(kpiMeasures, `must be one of ${kpiMeasures.join(', ')}`),
    within: duration.refine((ms) => ms >= 1000 && ms <= 7 * day, 'must be from 1s to 7d'),
    above: decimal.optional(),
    below: decimal.optional(),
  })
  .refine(({ above, below }) => (above === undefined) !== (below === undefined), 'needs above or below, and not both')

const rule = z
  .strictObject({
    name: z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'must begin with A-Z and consist of A-Z, a-z and 0-9'),
    sql: z.string().min(1).max(20_000).optional(),
    kpi: kpi.optional(),
    severity: z.enum(['info', 'warning', 'critical'], 'must be info, warning or critical').default('warning'),
    for: duration.refine((ms) => ms <= 7 * day, 'must be 7d at most').default(0),
    labels: z.record(labelName, z.string()).default({}),
    summary: z.string().min(1).max(500).optional(),
  })
  .refine(
    ({ sql, kpi: condition }) => (sql === undefined) !== (condition === undefined),
    'needs sql or kpi, and not both',
  )

/** The `alerts` section of market-kpi.yaml. */
export const userRulesSection = z.strictObject({ rules: z.array(rule).max(200, 'must be 200 at most').default([]) })

/**
 * A rule of market-kpi.yaml: a query whose rows are alerts, or a condition on the KPIs of each symbol. Times are in
 * milliseconds.
 */
export type UserRule = z.output<typeof rule>
export type KpiCondition = z.output<typeof kpi>

/**
 * Parses the rules under `alerts` in market-kpi.yaml, whose scalars are all texts.
 *
 * @param taken - Names of rules that already exist.
 * @throws KpiError `KPI_CONFIG_INVALID` with the rule and what is wrong with it.
 */
export function parseUserRules(given: unknown, taken: readonly string[]): UserRule[] {
  const parsed = userRulesSection.safeParse(given ?? {})
  if (!parsed.success) throw invalid(describe(parsed.error.issues[0], given))
  const names = new Set(taken)
  for (const { name } of parsed.data.rules) {
    if (names.has(name)) throw invalid(`alerts.rules: there is a rule called '${name}' already`)
    names.add(name)
  }
  return parsed.data.rules
}

function describe(issue: z.core.$ZodIssue | undefined, given: unknown): string {
  const path = (issue?.path ?? []).map(String)
  const named = (given as { rules?: { name?: unknown }[] } | undefined)?.rules?.[Number(path[1])]?.name
  const where = path[0] === 'rules' && typeof named === 'string' ? ['rules', `'${named}'`, ...path.slice(2)] : path
  return `${['alerts', ...where].join('.')}: ${wordsOf(issue)}`
}

function wordsOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    return `there is no '${key}' here: ${suggestion(key, fieldsAt(issue.path))}`
  }
  if (issue?.code === 'invalid_type' && issue.message.includes('undefined')) return 'is missing'
  return (issue?.message ?? 'is wrong').replace(/^Invalid input: expected/, 'must be a')
}

/** The fields that are allowed at `alerts`, `alerts.rules.N` or `alerts.rules.N.kpi`. */
function fieldsAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(userRulesSection.shape)
  return Object.keys(path.at(-1) === 'kpi' ? kpi.shape : rule.shape)
}

function invalid(why: string): KpiError {
  return new KpiError('KPI_CONFIG_INVALID', `market-kpi.yaml: ${why}`)
}
