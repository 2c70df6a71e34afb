import type { SymbolFreshness } from '../../../config/symbol-freshness.ts'
import { type AlertingRule, type AlertingRules, critical, type RuleSource, warning } from '../alerting-rule.ts'
import { age, ageOfEach, down, each, ratio } from '../expressions.ts'

/** What comes in, how old the rows are, and whether they are exact. */
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

/** Of a time without messages only trading hours count; while markets are closed there is no such series. */
function overInTradingHours(
  metric: typeof newestRecord | 'market_kpi_newest_price_timestamp_seconds',
  seconds: number,
) {
  return `${age(metric)} > ${seconds} and on (job) ${age(openSince)} > ${seconds}`
}

const replays = `${each('market_kpi_feed_replays_recorded_times')} == 1`

/** The severity of a silence depends on what the feed does. */
function feedRules({ thresholds: { feedSilence, workerDownSeconds } }: RuleSource): AlertingRule[] {
  const { warningSeconds, criticalSeconds } = feedSilence
  const silentFor = (seconds: number) => overInTradingHours(newestRecord, seconds)
  const feed = (states: string) => `${each('market_kpi_feed_state', [], `{state=~"${states}"}`)} == 1`
  const ours = feed('down|unconnected|finished|sending')
  // A topic that never had a message cannot be silent.
  const never = `(${feed('down')} unless on (job) ${each(newestRecord)} unless on (job) ${down('topic')}) and on (job) ${each(openSince)}`
  // A live replay sends its next line when that is due by its own clock.
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

/** Old rows are expected where no messages arrive. A replay has prices of another day, which are judged by its own clock. */
function excused({ thresholds: { freshness, feedSilence } }: RuleSource): string {
  const seconds = Math.min(freshness.warningSeconds, feedSilence.warningSeconds)
  const idle = `${each('market_kpi_lag_messages')} == 0 and on (job) ${age(newestRecord)} > ${seconds}`
  return `unless on (job) (${idle}) unless on (job) ${replays}`
}

/** Of all rows, and of single symbols while others have prices: one rule, since the symbol distinguishes them. */
function freshnessRules(source: RuleSource): AlertingRule[] {
  const { warningSeconds, criticalSeconds } = source.thresholds.freshness
  const allFor = (seconds: number) =>
    `(${overInTradingHours('market_kpi_newest_price_timestamp_seconds', seconds)} ${excused(source)}) or (${each('market_kpi_replay_behind_seconds')} > ${seconds} and on (job) ${each('market_kpi_market_open')} == 1)`
  const limited = limitsBySymbol(source)
  // Of many symbols one is always quiet: this is critical only for a symbol with limits of its own.
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

/** The first pattern that matches a symbol counts, so each leaves out those before it. */
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
