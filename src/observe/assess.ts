import type { Thresholds } from '../config/thresholds.ts'
import { type Finding, ruleNames, type Stage, severities, stages } from './finding.ts'
import type { SnapshotHistory } from './history.ts'
import { markSymptoms } from './inhibition.ts'
import { type PartitionLag, partitionLags } from './lag.ts'
import { type Measures, measure } from './measures.ts'
import { ruleTable } from './rule-table.ts'
import type { RuleScene } from './rules/rule.ts'
import type { PipelineSnapshot } from './snapshot.ts'
import { type ShownWorker, shownWorkers } from './workers.ts'

/** The result of one observation of the pipeline. Plain JSON values. */
export interface Assessment {
  /**
   * The worst severity of all findings that are not symptoms. `unknown` if no problem is known, but a rule could not be
   * evaluated that can always be evaluated in a working pipeline.
   */
  readonly verdict: 'ok' | 'warning' | 'critical' | 'unknown'
  /** The first stage, in the order of the data, with a finding that led to the verdict; null if the verdict is `ok`. */
  readonly firstBrokenStage: Stage | null
  /** Worst first, then in the order of `ruleNames`. Includes symptoms, with `inhibitedBy` set. */
  readonly findings: readonly Finding[]
  readonly measures: Measures
  /** By partition number. */
  readonly partitions: readonly PartitionLag[]
  /** Workers and feeds that are running or ended in the last ten minutes. */
  readonly workers: readonly ShownWorker[]
}

/**
 * Evaluates all rules on one snapshot of the pipeline. Pure: the same arguments give the same result.
 *
 * @param history - The observations of the last minutes; the last one is of this snapshot. If it is the only one, rules
 *   that compare several observations report that they cannot be evaluated.
 * @param nowMs - The current time by the clock that dated the snapshot.
 */
export function assess(
  snapshot: PipelineSnapshot,
  history: SnapshotHistory,
  thresholds: Thresholds,
  nowMs: number,
): Assessment {
  const { observations, diskObservations } = history
  const partitions = partitionLags({ snapshot, observations, thresholds, nowMs })
  const measures = measure({ snapshot, observations, thresholds, nowMs, lags: partitions })
  const scene = { snapshot, observations, diskObservations, thresholds, nowMs, lags: partitions, measures }
  const findings = markSymptoms(findingsOf(scene)).sort(worstFirst)
  const { workers: source } = snapshot.postgres
  const workers = source.state === 'ok' ? shownWorkers(source.workers, thresholds) : []
  return { ...verdictOf(findings), findings, measures, partitions, workers }
}

function findingsOf(scene: RuleScene): Finding[] {
  return ruleNames.flatMap((name) => {
    const { find, stage: usualStage } = ruleTable[name]
    return find(scene).map(({ rule, severity, stage, ...rest }) => {
      return { rule, severity, stage: stage ?? usualStage, ...rest, inhibitedBy: null }
    })
  })
}

/** Sorting is stable: within a severity the findings remain in the order of `ruleNames`. */
function worstFirst(a: Finding, b: Finding): number {
  return severities.indexOf(b.severity) - severities.indexOf(a.severity)
}

function verdictOf(findings: readonly Finding[]): Pick<Assessment, 'verdict' | 'firstBrokenStage'> {
  const causes = findings.filter(({ severity, inhibitedBy }) => inhibitedBy === null && severity !== 'info')
  const known = causes.filter(({ isUnknown }) => !isUnknown)
  const worst = known[0]?.severity
  const behind = worst ? known.filter(({ severity }) => severity === worst) : causes
  const firstBrokenStage = stages.find((stage) => behind.some((finding) => finding.stage === stage)) ?? null
  if (worst === 'critical' || worst === 'warning') return { verdict: worst, firstBrokenStage }
  return { verdict: causes.length > 0 ? 'unknown' : 'ok', firstBrokenStage }
}
