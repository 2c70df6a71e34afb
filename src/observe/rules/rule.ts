import type { Thresholds } from '../../config/thresholds.ts'
import type { Finding, RuleName, Severity, Stage } from '../finding.ts'
import type { DiskObservation, PastObservation } from '../history.ts'
import type { PartitionLag } from '../lag.ts'
import type { Measures } from '../measures.ts'
import type { PipelineSnapshot } from '../snapshot.ts'

/** The input of a rule. */
export interface RuleScene {
  readonly snapshot: PipelineSnapshot
  /** Oldest first; the last one is of this snapshot. */
  readonly observations: readonly PastObservation[]
  readonly diskObservations: readonly DiskObservation[]
  readonly thresholds: Thresholds
  readonly nowMs: number
  readonly lags: readonly PartitionLag[]
  readonly measures: Measures
}

/** Pure: the findings depend on the scene only. */
export type Rule = (scene: RuleScene) => Found[]

/** The result of a rule; assess.ts makes a `Finding` of it. */
export type Found = Omit<Finding, 'stage' | 'inhibitedBy'> & {
  /** Undefined for the rule's usual stage. */
  readonly stage: Stage | undefined
}

export function found(
  rule: RuleName,
  severity: Severity,
  summary: string,
  more: { labels?: Record<string, string>; stage?: Stage; value?: number; unit?: string } = {},
): Found {
  return {
    rule,
    severity,
    stage: more.stage,
    labels: more.labels ?? {},
    summary,
    value: more.value ?? null,
    unit: more.unit ?? null,
    isUnknown: false,
  }
}

/**
 * Reports that the rule cannot be evaluated: as a warning if that is a problem in itself, as information if it is
 * expected, such as before a second observation.
 */
export function cannotJudge(rule: RuleName, reason: string, severity: 'info' | 'warning' = 'info'): Found {
  return { ...found(rule, severity, reason), isUnknown: true }
}

/** The severity of the highest limit that the value exceeds. A value equal to a limit does not exceed it. */
export function beyond(
  value: number,
  limits: { warning: number; critical: number },
): 'warning' | 'critical' | undefined {
  if (value > limits.critical) return 'critical'
  return value > limits.warning ? 'warning' : undefined
}

/** The longest run of observations, up to the last one, that all fit, and the milliseconds that it spans. */
export function trailingObservations<L extends { readonly atMs: number }>(
  observations: readonly L[],
  fits: (observation: L) => boolean,
): { readonly observations: readonly L[]; readonly spanMs: number } {
  const fitting = observations.slice(observations.findLastIndex((observation) => !fits(observation)) + 1)
  return { observations: fitting, spanMs: (fitting.at(-1)?.atMs ?? 0) - (fitting[0]?.atMs ?? 0) }
}

/** `partition 2`, `partitions 0, 1, 2 and 5 more`. */
export function partitionList(partitions: readonly number[]): string {
  const shown = partitions.slice(0, 8).join(', ')
  const more = partitions.length > 8 ? ` and ${partitions.length - 8} more` : ''
  return `partition${partitions.length === 1 ? '' : 's'} ${shown}${more}`
}

/** `45 s`, `12 min`, `3 h`, `5 days`. */
export function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}

/** A short time: `0 ms`, `85 ms`, `1.2 s`. */
export function waitText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `12.5 %`, `1.25 %`, `0.013 %`. */
export function percentText(value: number): string {
  return `${Number(value >= 10 ? value.toFixed(1) : value.toPrecision(3))} %`
}
