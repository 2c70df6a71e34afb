import { type Threshold, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Thresholds } from '../../config/thresholds.ts'

/** Thresholds of a panel; `critical` is null if there is none. */
export interface Limits {
  readonly warning: number
  readonly critical: number | null
}

/** Every coloured panel also shows its number or a word, for readers who cannot distinguish red from green. */
export const colours = { ok: 'green', warning: 'orange', critical: 'red' } as const

/** The limits for the colours of panels: the same as in `health`, `monitor` and `alerts`. */
export function limitsOf(thresholds: Thresholds) {
  const { lag, freshness, feedSilence, errorRate, pool, disk, deadLetters, clockSkew } = thresholds
  const seconds = (of: { warningSeconds: number; criticalSeconds: number }): Limits => ({
    warning: of.warningSeconds,
    critical: of.criticalSeconds,
  })
  const share = (of: { warningPercent: number; criticalPercent: number }): Limits => ({
    warning: of.warningPercent / 100,
    critical: of.criticalPercent / 100,
  })
  return {
    lag: { warning: lag.warningMessages, critical: null },
    freshness: seconds(freshness),
    feedSilence: seconds(feedSilence),
    clockSkew: seconds(clockSkew),
    errorRatio: share(errorRate),
    poolRatio: share(pool),
    diskRatio: share(disk),
    deadLetters: { warning: deadLetters.warningCount, critical: null },
  } satisfies Record<string, Limits>
}

export type PanelLimits = ReturnType<typeof limitsOf>

export function stepsOf(limits: Limits | undefined): ThresholdsConfigBuilder {
  const steps: Threshold[] = [{ value: null, color: colours.ok }]
  if (limits) steps.push({ value: limits.warning, color: colours.warning })
  if (limits && limits.critical !== null) steps.push({ value: limits.critical, color: colours.critical })
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}
