import type { Thresholds } from '../../config/thresholds.ts'
import type { Sample } from '../../metrics/pipeline-metrics.ts'
import { type Finding, ruleNames, severities } from '../../observe/finding.ts'
import { farAheadMs, type Measures } from '../../observe/measures.ts'
import type { Observation } from '../../observe/observer.ts'
import { wrongRecordUnit, wrongUnits } from '../../observe/rules/feed.ts'
import type { PipelineSnapshot } from '../../observe/snapshot.ts'
import { kafkaSamples, partitionSamples } from './kafka-samples.ts'
import { postgresSamples, symbolSamples } from './postgres-samples.ts'
import { instant, measured, sample } from './sample.ts'
import { workerSamples } from './worker-samples.ts'

/** Converts an observation to samples. Pure; unknown values are left out. */
export function samplesOf({ snapshot, assessment }: Observation, thresholds: Thresholds): Sample[] {
  const { topic, group } = snapshot.asked
  const { findings, measures, partitions } = assessment
  return [
    ...upSamples(snapshot, findings),
    ...sample('market_kpi_pipeline_info', 1, { topic, group }),
    ...instant('market_kpi_observation_timestamp_seconds', snapshot.takenAtMs),
    ...sample('market_kpi_observation_duration_seconds', snapshot.tookMs / 1000),
    ...findingSamples(findings),
    ...kafkaSamples(snapshot),
    ...partitionSamples(snapshot, partitions),
    ...measureSamples(measures, snapshot),
    ...workerSamples(snapshot, assessment, thresholds),
    ...postgresSamples(snapshot),
    ...symbolSamples(snapshot, thresholds),
  ]
}

/** `market_kpi_up` always has a sample for each component; 0 also means that the component could not be checked. */
function upSamples({ kafka, postgres }: PipelineSnapshot, findings: readonly Finding[]): Sample[] {
  const isFound = (rule: Finding['rule'], ...of: readonly Finding['severity'][]) =>
    findings.some((finding) => finding.rule === rule && (finding.isUnknown || of.includes(finding.severity)))
  const isTopicThere = kafka.topic.state === 'ok' && kafka.topic.isThere
  const isUp = {
    kafka: kafka.cluster.state === 'ok',
    topic: isTopicThere && !isFound('TopicMissing', 'critical'),
    postgres: !isFound('PostgresUnreachable', 'critical'),
    schema: postgres.schema.state === 'ok' && !isFound('SchemaInvalid', 'critical'),
    consumer: isTopicThere && !isFound('NoConsumer', 'critical'),
    feed: kafka.log.state === 'ok' && !isFound('FeedSilent', 'warning', 'critical'),
  }
  return Object.entries(isUp).flatMap(([component, up]) => sample('market_kpi_up', Number(up), { component }))
}

/**
 * Every rule has samples, with or without a finding, so that 0 distinguishes a rule without findings from a missing
 * rule.
 */
function findingSamples(findings: readonly Finding[]): Sample[] {
  const causes = findings.filter(({ isUnknown, inhibitedBy }) => !isUnknown && inhibitedBy === null)
  return ruleNames.flatMap((rule) => [
    ...severities.flatMap((severity) => {
      const isFound = causes.some((finding) => finding.rule === rule && finding.severity === severity)
      return sample('market_kpi_finding', Number(isFound), { rule, severity })
    }),
    ...sample(
      'market_kpi_rule_unknown',
      Number(findings.some((finding) => finding.rule === rule && finding.isUnknown)),
      { rule },
    ),
  ])
}

function measureSamples(measures: Measures, snapshot: PipelineSnapshot): Sample[] {
  const { takenAtMs, kafka } = snapshot
  const { log } = kafka
  const wrong = wrongRecordUnit(snapshot, takenAtMs)
  const { market, feedSilenceSeconds: silence } = measures
  const times = log.state === 'ok' ? log.partitions.map((p) => p.newestRecordAtMs ?? 0) : []
  const newest = times.filter((ms) => ms - takenAtMs <= farAheadMs)
  // If a broker's clock is ahead, the newest record is in the future, which the silence (at least 0) does not show.
  const newestMs = silence.state === 'ok' ? Math.max(takenAtMs - silence.value * 1000, ...newest) : null
  return [
    ...(log.state === 'ok' ? wrongUnits : []).flatMap(({ unit }) =>
      sample('market_kpi_record_timestamps_in_wrong_unit', Number(wrong?.unit === unit), { unit }),
    ),
    ...measured('market_kpi_lag_messages', measures.lagMessages),
    ...measured('market_kpi_readable_lag_messages', measures.readableLagMessages),
    ...measured('market_kpi_throughput_messages_per_second', measures.throughputPerSecond),
    ...measured('market_kpi_error_ratio', measures.errorRatePercent, 100),
    ...measured('market_kpi_pool_wait_ratio', measures.poolWaitPercent, 100),
    ...measured('market_kpi_pool_wait_longest_seconds', measures.poolWaitMs, 1000),
    ...measured('market_kpi_pool_used_ratio', measures.poolUsedPercent, 100),
    ...measured('market_kpi_pool_pressure_ratio', measures.poolPressurePercent, 100),
    ...instant('market_kpi_newest_record_timestamp_seconds', newestMs),
    ...sample('market_kpi_market_open', Number(market.isOpen)),
    ...instant('market_kpi_market_open_since_timestamp_seconds', market.isOpen ? (market.sinceMs ?? 0) : null),
  ]
}
