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
   * The worst severity, symptoms left out. `unknown` where nothing is known to be wrong, but something could not be judged
   * that can always be judged in a working pipeline.
   */
  readonly verdict: 'ok' | 'warning' | 'critical' | 'unknown'
  /** Of the findings behind the verdict, in the order of the data; null where all is well. */
  readonly firstBrokenStage: Stage | null
  /** Worst first, then by rule; symptoms included, and marked. */
  readonly findings: readonly Finding[]
  readonly measures: Measures
  /** By partition number. */
  readonly partitions: readonly PartitionLag[]
  /** Workers and feeds that run, and for ten minutes those that ended. */
  readonly workers: readonly ShownWorker[]
}

/**
 * Judges one observation of the pipeline. Pure: the same arguments give the same answer.
 *
 * @param history - The observations of the last minutes, this snapshot the last. With this one alone, rules that need time
 *   cannot be judged, and say so.
 * @param nowMs - By the clock that took the snapshot.
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

/** Sorting is stable: within a severity the order of the rules remains. */
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
