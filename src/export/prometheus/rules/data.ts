import type { SymbolFreshness } from '../../../config/symbol-freshness.ts'
import { type AlertingRule, type AlertingRules, critical, type RuleSource, warning } from '../alerting-rule.ts'
import { age, ageOfEach, down, each, ratio } from '../expressions.ts'

/** Rules about incoming messages, rejected messages, and the age and precision of the KPI rows. */
export const dataRules: AlertingRules<
  'FeedSilent' | 'ErrorRateHigh' | 'DeadLettersGrowing' | 'KpiStale' | 'PrecisionLost'
> = {
  FeedSilent: feedRules,
  ErrorRateHigh: ({ thresholds: { errorRate } }) => {
    const share = each('market_kpi_error_ratio')
    const summary = '{{ $value | humanizePercentage }} of the messages of the last minutes were rejected'
    return [
      critical('ErrorRateHigh', { expr: `${share} > ${ratio(errorRate.criticalPercent)}`, summary }),
      warning('ErrorRateHigh', { expr: `${share} > ${ratio(errorRate.warningPercent)}`, summary }),
    ]
  },
  DeadLettersGrowing: ({ thresholds: { deadLetters } }) => [
    warning('DeadLettersGrowing', {
      expr: `sum by (job) (${each('market_kpi_dead_letters_recent', ['reason'])}) > ${deadLetters.warningCount}`,
      summary: '{{ $value | humanize }} messages of the last minutes were rejected',
    }),
  ],
  KpiStale: freshnessRules,
  PrecisionLost: () => [
    warning('PrecisionLost', {
      expr: `${each('market_kpi_precision_lost_messages', ['symbol'])} > 0`,
      summary: 'numbers of {{ $labels.symbol }} have more decimal places than DECIMALS keeps',
    }),
  ],
}

const newestRecord = 'market_kpi_newest_record_timestamp_seconds'
const openSince = 'market_kpi_market_open_since_timestamp_seconds'

/** Only trading hours count for the age. While all markets are closed, `openSince` has no series, so nothing fires. */
function overInTradingHours(
  metric: typeof newestRecord | 'market_kpi_newest_price_timestamp_seconds',
  seconds: number,
) {
  return `${age(metric)} > ${seconds} and on (job) ${age(openSince)} > ${seconds}`
}

const replays = `${each('market_kpi_feed_replays_recorded_times')} == 1`

/** The severity of a silence depends on the state of the feed. */
function feedRules({ thresholds: { feedSilence, workerDownSeconds } }: RuleSource): AlertingRule[] {
  const { warningSeconds, criticalSeconds } = feedSilence
  const silentFor = (seconds: number) => overInTradingHours(newestRecord, seconds)
  const feed = (states: string) => `${each('market_kpi_feed_state', [], `{state=~"${states}"}`)} == 1`
  const ours = feed('down|unconnected|finished|sending')
  // Without any message in the topic there is no age, so a feed that is down is reported by itself.
  const never = `(${feed('down')} unless on (job) ${each(newestRecord)} unless on (job) ${down('topic')}) and on (job) ${each(openSince)}`
  // A running replay may be silent until its next line is due by its own clock.
  const quiet = `${feed('sending')} unless on (job) ${replays}`
  const summary = 'no new messages come into the topic'
  return [
    critical('FeedSilent', {
      expr: `${silentFor(criticalSeconds)} unless on (job) ${feed('finished|sending')}`,
      summary,
    }),
    warning('FeedSilent', {
      expr: [
        `(${silentFor(warningSeconds)} unless on (job) ${ours})`,
        `(${silentFor(workerDownSeconds)} and on (job) ${feed('down|unconnected')})`,
        `(${silentFor(criticalSeconds)} and on (job) (${quiet}))`,
        `(${never})`,
      ].join(' or '),
      summary,
    }),
  ]
}

/**
 * Old rows are expected if no messages arrive. They are also expected during a replay, whose prices are of another day:
 * it has a condition of its own.
 */
function excused({ thresholds: { freshness, feedSilence } }: RuleSource): string {
  const seconds = Math.min(freshness.warningSeconds, feedSilence.warningSeconds)
  const idle = `${each('market_kpi_lag_messages')} == 0 and on (job) ${age(newestRecord)} > ${seconds}`
  return `unless on (job) (${idle}) unless on (job) ${replays}`
}

/** All rows, and single symbols while others have prices, are one rule: the label `symbol` distinguishes the alerts. */
function freshnessRules(source: RuleSource): AlertingRule[] {
  const { warningSeconds, criticalSeconds } = source.thresholds.freshness
  const allFor = (seconds: number) =>
    `(${overInTradingHours('market_kpi_newest_price_timestamp_seconds', seconds)} ${excused(source)}) or (${each('market_kpi_replay_behind_seconds')} > ${seconds} and on (job) ${each('market_kpi_market_open')} == 1)`
  const limited = limitsBySymbol(source)
  // Among many symbols, one is always quiet: a single symbol is critical only if it has limits of its own.
  const own = limited.filter(({ isOwn }) => isOwn)
  const criticals = own.map((limits) => staleSymbols(source, limits.selector, limits.criticalSeconds))
  const warnings = limited.map((limits) => staleSymbols(source, limits.selector, limits.warningSeconds))
  const summary =
    'the newest price{{ with $labels.symbol }} of {{ . }}{{ end }} in the rows is {{ $value | humanizeDuration }} old'
  return [
    critical('KpiStale', { expr: union([allFor(criticalSeconds), ...criticals]), summary }),
    warning('KpiStale', { expr: union([allFor(warningSeconds), ...warnings]), summary }),
  ]
}

interface SymbolLimits {
  readonly selector: string
  readonly warningSeconds: number
  readonly criticalSeconds: number
  readonly isOwn: boolean
}

/** The first pattern that matches a symbol applies, so each selector excludes the patterns before it. */
function limitsBySymbol({ thresholds: { freshness } }: RuleSource): SymbolLimits[] {
  const all: SymbolFreshness[] = [...freshness.bySymbol, { pattern: '*', limits: 'default' }]
  return all.flatMap(({ pattern, limits }, index) => {
    const before = all.slice(0, index)
    if (limits === 'off' || isCovered(pattern, before)) return []
    const { warningSeconds, criticalSeconds } = limits === 'default' ? freshness : limits
    return [{ selector: symbolSelector(pattern, before), warningSeconds, criticalSeconds, isOwn: limits !== 'default' }]
  })
}

function union(exprs: readonly string[]): string {
  return exprs.map((expr) => `(${expr})`).join(' or ')
}

function staleSymbols(source: RuleSource, selector: string, seconds: number): string {
  const { freshness } = source.thresholds
  const price = ageOfEach('market_kpi_symbol_newest_price_timestamp_seconds', 'symbol', selector)
  const open = ageOfEach('market_kpi_symbol_market_open_since_timestamp_seconds', 'symbol', selector)
  const on = 'and on (job, symbol)'
  const old = `${price} > ${seconds} ${on} ${open} > ${seconds} ${on} ${price} <= ${freshness.forgetSeconds}`
  const allStale = overInTradingHours('market_kpi_newest_price_timestamp_seconds', freshness.warningSeconds)
  return `${old} unless on (job) (${allStale}) ${excused(source)}`
}

/** `*` matches anything in our patterns; the rest is literal for RE2. */
function symbolSelector(pattern: string, before: readonly SymbolFreshness[]): string {
  const regex = (text: string) =>
    JSON.stringify(
      text
        .split('*')
        .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
        .join('.*'),
    )
  return `{${[`symbol=~${regex(pattern)}`, ...before.map((other) => `symbol!~${regex(other.pattern)}`)].join(', ')}}`
}

function isCovered(pattern: string, before: readonly SymbolFreshness[]): boolean {
  return before.some((other) => other.pattern === pattern || other.pattern === '*')
}
