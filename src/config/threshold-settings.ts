import { decimal, type Setting, text, whole } from './setting.ts'
import { freshnessListProblem } from './symbol-freshness.ts'
import { tradingHoursProblem } from './trading-hours.ts'

const day = 86_400

function seconds(env: string, fallback: number, description: string) {
  return whole({ env, min: 1, max: 30 * day, default: fallback, description })
}

function percent(env: string, fallback: number, description: string) {
  return decimal({ env, min: 0, max: 100, default: fallback, description })
}

function count(env: string, fallback: number, description: string) {
  return whole({ env, min: 0, max: 1_000_000_000, default: fallback, description })
}

/** When something is reported, is a warning or is critical. Health, alerts, monitor and dashboards all use these. */
export const thresholdSettings = {
  lagTargetMessages: count(
    'LAG_TARGET_MESSAGES',
    100,
    'a consumer lag below this is on target, and never reported as growing',
  ),
  lagWarningMessages: count('LAG_WARNING_MESSAGES', 1000, 'a consumer lag above this is a warning'),
  lagGrowingSeconds: seconds('LAG_GROWING_SECONDS', 300, 'a lag that grows for this long is a warning'),
  stalledSeconds: seconds(
    'STALLED_SECONDS',
    60,
    'a partition whose position has not moved for this long while messages wait is stalled: critical',
  ),
  backlogSeconds: seconds(
    'BACKLOG_SECONDS',
    30,
    'a lag above LAG_WARNING_MESSAGES for this long is a backlog; only then throughput is judged',
  ),
  transactionWarningSeconds: seconds(
    'TRANSACTION_WARNING_SECONDS',
    60,
    'a transaction of another application that has been open for this long while messages wait behind it is a warning',
  ),
  transactionCriticalSeconds: seconds(
    'TRANSACTION_CRITICAL_SECONDS',
    900,
    '… and critical if it has been open for this long',
  ),
  throughputWarningPerSecond: count(
    'THROUGHPUT_WARNING_PER_SECOND',
    500,
    'during a backlog, fewer messages per second than this are a warning',
  ),
  throughputCriticalPerSecond: count('THROUGHPUT_CRITICAL_PER_SECOND', 100, '… and fewer than this are critical'),
  throughputCriticalSeconds: seconds('THROUGHPUT_CRITICAL_SECONDS', 60, '… if it lasts this long'),
  freshnessTargetSeconds: seconds(
    'FRESHNESS_TARGET_SECONDS',
    300,
    'target for the age of the newest price in the rows',
  ),
  freshnessWarningSeconds: seconds('FRESHNESS_WARNING_SECONDS', 600, 'an age above this is a warning'),
  freshnessCriticalSeconds: seconds('FRESHNESS_CRITICAL_SECONDS', 900, 'an age above this is critical'),
  freshnessBySymbol: listText({
    env: 'FRESHNESS_BY_SYMBOL',
    default: '*=default',
    problem: freshnessListProblem,
    allowed: 'PATTERN=WARNING:CRITICAL in seconds, or PATTERN=default or PATTERN=off, several separated by commas',
    description: 'different limits for some symbols; the first pattern that matches counts, * matches anything',
  }),
  forgetSymbolHours: whole({
    env: 'FORGET_SYMBOL_HOURS',
    min: 1,
    max: 24 * 365,
    default: 72,
    description: 'a symbol without a price for this long is no longer expected',
  }),
  feedSilenceWarningSeconds: seconds(
    'FEED_SILENCE_WARNING_SECONDS',
    300,
    'no new messages in the topic for this long is a warning; a feed that is known to be down is reported sooner',
  ),
  feedSilenceCriticalSeconds: seconds('FEED_SILENCE_CRITICAL_SECONDS', 900, '… and for this long it is critical'),
  errorRateSeconds: seconds('ERROR_RATE_SECONDS', 300, 'period over which rejected messages are counted'),
  errorRateWarningPercent: percent(
    'ERROR_RATE_WARNING_PERCENT',
    1,
    'a share of rejected messages above this, in that period, is a warning',
  ),
  errorRateCriticalPercent: percent('ERROR_RATE_CRITICAL_PERCENT', 5, '… and above this it is critical'),
  deadLettersWarning: count(
    'DEAD_LETTERS_WARNING',
    1000,
    'more rejected messages than this within that period are a warning, however small their share',
  ),
  poolWarningPercent: percent(
    'POOL_WARNING_PERCENT',
    70,
    "a warning if a worker's queries wait for a connection for more than this share of the time, or if a query waits while more than this share of the connections is in use",
  ),
  poolCriticalPercent: percent('POOL_CRITICAL_PERCENT', 90, '… and above this it is critical'),
  poolCriticalSeconds: seconds('POOL_CRITICAL_SECONDS', 60, '… if it lasts this long'),
  diskWarningPercent: percent(
    'DISK_WARNING_PERCENT',
    75,
    "a volume of Kafka's logs that is fuller than this is a warning",
  ),
  diskCriticalPercent: percent('DISK_CRITICAL_PERCENT', 90, '… and above this it is critical'),
  diskFullHours: whole({
    env: 'DISK_FULL_HOURS',
    min: 1,
    max: 24 * 30,
    default: 24,
    description: 'a volume that will be full within this time at its present growth is a warning',
  }),
  workerDownSeconds: seconds('WORKER_DOWN_SECONDS', 30, 'a worker or feed that has not reported for this long is down'),
  clockSkewWarningSeconds: seconds(
    'CLOCK_SKEW_WARNING_SECONDS',
    30,
    'clocks that differ by more than this are a warning',
  ),
  clockSkewCriticalSeconds: seconds('CLOCK_SKEW_CRITICAL_SECONDS', 300, '… and by more than this they are critical'),
  tradingHours: listText({
    env: 'TRADING_HOURS',
    default: '*=always',
    problem: tradingHoursProblem,
    allowed:
      'PATTERN=always or PATTERN=ZONE DAYS HH:MM-HH:MM, with holidays as !YYYY-MM-DD and early closes as !YYYY-MM-DD@HH:MM, several separated by commas: see docs/operations.md',
    description:
      'when symbols are expected to have prices; at other times neither old rows nor a silent feed are reported',
  }),
} as const satisfies Record<string, Setting<unknown>>

/** A text with a syntax of its own, which `problem` checks. */
function listText(told: {
  env: string
  default: string
  allowed: string
  description: string
  problem: (value: string) => string | undefined
}) {
  const { problem, ...rest } = told
  const setting = text(rest)
  return { ...setting, problem, parse: setting.parse.refine((value) => problem(value) === undefined) }
}
