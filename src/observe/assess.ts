import type { Thresholds } from '../config/thresholds.ts'
import { type Finding, type RuleName, ruleNames, type Stage, severities, stages } from './finding.ts'
import type { SnapshotHistory } from './history.ts'
import { markSymptoms } from './inhibition.ts'
import { type PartitionLag, partitionLags } from './lag.ts'
import { type Measures, measure } from './measures.ts'
import {
  consumerLagGrowing,
  consumerLagHigh,
  consumerStalled,
  noConsumer,
  throughputLow,
  workerDown,
} from './rules/consumer.ts'
import { clockSkew, feedSilent } from './rules/feed.ts'
import { kafkaDiskHigh, kafkaUnreachable, partitionsOffline, topicMissing } from './rules/kafka.ts'
import { poolSaturated, postgresUnreachable, schemaInvalid } from './rules/postgres.ts'
import { precisionLost } from './rules/precision.ts'
import { deadLettersGrowing, errorRateHigh, kpiStale } from './rules/quality.ts'
import type { Rule } from './rules/rule.ts'
import { transactionStuck } from './rules/transactions.ts'
import type { PipelineSnapshot } from './snapshot.ts'
import { type ShownWorker, shownWorkers } from './workers.ts'

/** What one look at the pipeline comes to. Plain JSON values. */
export interface Assessment {
  /**
   * The worst that is no symptom. `unknown` where nothing is known to be wrong, but something could not be judged that
   * always can in a pipeline that works.
   */
  readonly verdict: 'ok' | 'warning' | 'critical' | 'unknown'
  /** Of the findings behind the verdict, in the order of the data; null where all is well. */
  readonly firstBrokenStage: Stage | null
  /** Worst first, then by rule; symptoms included, and marked. */
  readonly findings: readonly Finding[]
  readonly measures: Measures
  /** By partition number. */
  readonly partitions: readonly PartitionLag[]
  /** Workers and feeds that live, and for ten minutes those that ended. */
  readonly workers: readonly ShownWorker[]
}

/** By number. */
const rules: Readonly<Record<RuleName, Rule>> = {
  KafkaUnreachable: kafkaUnreachable,
  TopicMissing: topicMissing,
  PartitionsOffline: partitionsOffline,
  KafkaDiskHigh: kafkaDiskHigh,
  PostgresUnreachable: postgresUnreachable,
  SchemaInvalid: schemaInvalid,
  ClockSkew: clockSkew,
  FeedSilent: feedSilent,
  WorkerDown: workerDown,
  NoConsumer: noConsumer,
  ConsumerStalled: consumerStalled,
  ConsumerLagHigh: consumerLagHigh,
  ConsumerLagGrowing: consumerLagGrowing,
  ThroughputLow: throughputLow,
  TransactionStuck: transactionStuck,
  PoolSaturated: poolSaturated,
  ErrorRateHigh: errorRateHigh,
  DeadLettersGrowing: deadLettersGrowing,
  KpiStale: kpiStale,
  PrecisionLost: precisionLost,
}

/**
 * Judges one look at the pipeline. Pure: the same arguments give the same answer.
 *
 * @param history - The looks of the last minutes, of which this snapshot is the last. With this one alone, what takes
 *   time to know stays unknown, and says so.
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
  const findings = markSymptoms(ruleNames.flatMap((name) => rules[name](scene))).sort(worstFirst)
  const { workers: source } = snapshot.postgres
  const workers = source.state === 'ok' ? shownWorkers(source.workers, thresholds) : []
  return { ...verdictOf(findings), findings, measures, partitions, workers }
}

/** Sorting is stable: within a severity the order of the rules stays. */
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
