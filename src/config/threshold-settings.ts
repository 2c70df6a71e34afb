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

/** From when on something is worth a word, a warning or a call at night: for health, alerts, monitor and dashboards alike. */
export const thresholdSettings = {
  lagTargetMessages: count(
    'LAG_TARGET_MESSAGES',
    100,
    'a consumer lag below this is on target, and never called growing',
  ),
  lagWarningMessages: count('LAG_WARNING_MESSAGES', 1000, 'a consumer lag above this is a warning'),
  lagGrowingSeconds: seconds('LAG_GROWING_SECONDS', 300, 'so is one that grows for so long'),
  stalledSeconds: seconds(
    'STALLED_SECONDS',
    60,
    'a position that has stood still for so long while a message waits is stalled: critical',
  ),
  backlogSeconds: seconds(
    'BACKLOG_SECONDS',
    30,
    'a lag above its warning for so long is a backlog, and throughput counts',
  ),
  transactionWarningSeconds: seconds(
    'TRANSACTION_WARNING_SECONDS',
    60,
    'a transaction of another application that has been open for so long, with messages waiting behind it, is a warning',
  ),
  transactionCriticalSeconds: seconds(
    'TRANSACTION_CRITICAL_SECONDS',
    900,
    'one that has been open for so long is critical',
  ),
  throughputWarningPerSecond: count('THROUGHPUT_WARNING_PER_SECOND', 500, 'messages a second that a backlog wants'),
  throughputCriticalPerSecond: count('THROUGHPUT_CRITICAL_PER_SECOND', 100, 'below this it is critical'),
  throughputCriticalSeconds: seconds('THROUGHPUT_CRITICAL_SECONDS', 60, 'after so long below it'),
  freshnessTargetSeconds: seconds('FRESHNESS_TARGET_SECONDS', 300, 'the newest price in the rows is this old at most'),
  freshnessWarningSeconds: seconds('FRESHNESS_WARNING_SECONDS', 600, 'an older one is a warning'),
  freshnessCriticalSeconds: seconds('FRESHNESS_CRITICAL_SECONDS', 900, 'an older one is critical'),
  freshnessBySymbol: listText({
    env: 'FRESHNESS_BY_SYMBOL',
    default: '*=default',
    problem: freshnessListProblem,
    allowed: 'PATTERN=WARNING:CRITICAL in seconds, or PATTERN=default or PATTERN=off, several separated by commas',
    description:
      'other limits for symbols that trade less, or more; the first pattern that fits counts, * stands for anything',
  }),
  forgetSymbolHours: whole({
    env: 'FORGET_SYMBOL_HOURS',
    min: 1,
    max: 24 * 365,
    default: 72,
    description: 'a symbol without a price for so long has left the feed, and is not missed any more',
  }),
  feedSilenceWarningSeconds: seconds(
    'FEED_SILENCE_WARNING_SECONDS',
    300,
    'nothing new in the topic for so long is a warning; a feed that is known to be down is told at once',
  ),
  feedSilenceCriticalSeconds: seconds('FEED_SILENCE_CRITICAL_SECONDS', 900, 'for so long it is critical'),
  errorRateSeconds: seconds('ERROR_RATE_SECONDS', 300, 'the time over which rejected messages are counted'),
  errorRateWarningPercent: percent('ERROR_RATE_WARNING_PERCENT', 1, 'rejected of consumed messages, over that time'),
  errorRateCriticalPercent: percent('ERROR_RATE_CRITICAL_PERCENT', 5, 'above this it is critical'),
  deadLettersWarning: count(
    'DEAD_LETTERS_WARNING',
    1000,
    'more rejected messages than this within that time are a warning, however small their share',
  ),
  poolWarningPercent: percent(
    'POOL_WARNING_PERCENT',
    70,
    "of a worker's database connections, in use while a query waits; and of the time, in which a query waits for one",
  ),
  poolCriticalPercent: percent('POOL_CRITICAL_PERCENT', 90, 'above this it is critical'),
  poolCriticalSeconds: seconds('POOL_CRITICAL_SECONDS', 60, 'after so long above it'),
  diskWarningPercent: percent('DISK_WARNING_PERCENT', 75, "used of the volumes that hold Kafka's logs"),
  diskCriticalPercent: percent('DISK_CRITICAL_PERCENT', 90, 'above this it is critical'),
  diskFullHours: whole({
    env: 'DISK_FULL_HOURS',
    min: 1,
    max: 24 * 30,
    default: 24,
    description: "a volume that is full within so long at the last hours' growth is a warning",
  }),
  workerDownSeconds: seconds(
    'WORKER_DOWN_SECONDS',
    30,
    'a worker or feed that has not been heard of for so long is down',
  ),
  clockSkewWarningSeconds: seconds('CLOCK_SKEW_WARNING_SECONDS', 30, 'clocks that differ by more are a warning'),
  clockSkewCriticalSeconds: seconds('CLOCK_SKEW_CRITICAL_SECONDS', 300, 'by more than this it is critical'),
  tradingHours: listText({
    env: 'TRADING_HOURS',
    default: '*=always',
    problem: tradingHoursProblem,
    allowed:
      'PATTERN=always or PATTERN=ZONE DAYS HH:MM-HH:MM, with holidays as !YYYY-MM-DD and early closes as !YYYY-MM-DD@HH:MM, several separated by commas: see docs/operations.md',
    description: 'when symbols are expected to have prices: outside, neither old rows nor a silent feed are reported',
  }),
} as const satisfies Record<string, Setting<unknown>>

/** A text with a grammar of its own, which says what is wrong with it. */
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
