import { KpiError } from '../errors.ts'
import type { Config } from './load.ts'
import { type SettingName, settings } from './settings.ts'
import { parseFreshnessList, type SymbolFreshness } from './symbol-freshness.ts'
import { parseTradingHours, type TradingHours } from './trading-hours.ts'

/**
 * All thresholds that findings are judged by. Health, alerts, monitor, dashboards and Prometheus rules read this
 * single definition.
 */
export interface Thresholds {
  readonly lag: {
    readonly targetMessages: number
    readonly warningMessages: number
    readonly growingSeconds: number
    readonly stalledSeconds: number
    readonly backlogSeconds: number
  }
  /** How long a transaction may stay open while messages wait for its end. */
  readonly transaction: Limits
  readonly throughput: {
    readonly warningPerSecond: number
    readonly criticalPerSecond: number
    readonly criticalSeconds: number
  }
  readonly freshness: Limits & {
    readonly targetSeconds: number
    readonly bySymbol: readonly SymbolFreshness[]
    readonly forgetSeconds: number
  }
  readonly feedSilence: Limits
  readonly errorRate: Percents
  /** Count within ERROR_RATE_SECONDS. */
  readonly deadLetters: { readonly warningCount: number }
  readonly pool: Percents & { readonly criticalSeconds: number }
  readonly disk: Percents & { readonly fullSeconds: number }
  readonly workerDownSeconds: number
  readonly clockSkew: Limits
  readonly tradingHours: TradingHours
}

/**
 * A value above `warning` is a warning, and a value above `critical` is critical. Equal values are still within the
 * limit.
 */
export interface Limits {
  readonly warningSeconds: number
  readonly criticalSeconds: number
}

export interface Percents {
  readonly warningPercent: number
  readonly criticalPercent: number
}

/** In each pair, the first must be reached before the second. */
const inOrder = [
  ['lagTargetMessages', 'lagWarningMessages'],
  ['transactionWarningSeconds', 'transactionCriticalSeconds'],
  ['throughputCriticalPerSecond', 'throughputWarningPerSecond'],
  ['freshnessTargetSeconds', 'freshnessWarningSeconds'],
  ['freshnessWarningSeconds', 'freshnessCriticalSeconds'],
  ['feedSilenceWarningSeconds', 'feedSilenceCriticalSeconds'],
  ['errorRateWarningPercent', 'errorRateCriticalPercent'],
  ['poolWarningPercent', 'poolCriticalPercent'],
  ['diskWarningPercent', 'diskCriticalPercent'],
  ['clockSkewWarningSeconds', 'clockSkewCriticalSeconds'],
] as const satisfies [SettingName, SettingName][]

/**
 * Reads the thresholds from a configuration.
 *
 * @throws KpiError `KPI_CONFIG_INVALID` with two thresholds that are not in order.
 */
export function thresholdsOf(config: Config): Thresholds {
  for (const [lower, upper] of inOrder) {
    if (config[lower] < config[upper]) continue
    const [low, high] = [settings[lower].env, settings[upper].env]
    throw new KpiError('KPI_CONFIG_INVALID', `${low}=${config[lower]}: must be below ${high}=${config[upper]}`)
  }
  return {
    lag: {
      targetMessages: config.lagTargetMessages,
      warningMessages: config.lagWarningMessages,
      growingSeconds: config.lagGrowingSeconds,
      stalledSeconds: config.stalledSeconds,
      backlogSeconds: config.backlogSeconds,
    },
    transaction: {
      warningSeconds: config.transactionWarningSeconds,
      criticalSeconds: config.transactionCriticalSeconds,
    },
    throughput: {
      warningPerSecond: config.throughputWarningPerSecond,
      criticalPerSecond: config.throughputCriticalPerSecond,
      criticalSeconds: config.throughputCriticalSeconds,
    },
    freshness: {
      targetSeconds: config.freshnessTargetSeconds,
      warningSeconds: config.freshnessWarningSeconds,
      criticalSeconds: config.freshnessCriticalSeconds,
      bySymbol: parseFreshnessList(config.freshnessBySymbol),
      forgetSeconds: config.forgetSymbolHours * 3600,
    },
    feedSilence: {
      warningSeconds: config.feedSilenceWarningSeconds,
      criticalSeconds: config.feedSilenceCriticalSeconds,
    },
    errorRate: {
      warningPercent: config.errorRateWarningPercent,
      criticalPercent: config.errorRateCriticalPercent,
    },
    deadLetters: { warningCount: config.deadLettersWarning },
    pool: {
      warningPercent: config.poolWarningPercent,
      criticalPercent: config.poolCriticalPercent,
      criticalSeconds: config.poolCriticalSeconds,
    },
    disk: {
      warningPercent: config.diskWarningPercent,
      criticalPercent: config.diskCriticalPercent,
      fullSeconds: config.diskFullHours * 3600,
    },
    workerDownSeconds: config.workerDownSeconds,
    clockSkew: {
      warningSeconds: config.clockSkewWarningSeconds,
      criticalSeconds: config.clockSkewCriticalSeconds,
    },
    tradingHours: parseTradingHours(config.tradingHours),
  }
}
