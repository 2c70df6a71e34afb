import type { PipelineMetric } from '../../../metrics/pipeline-metrics.ts'
import { minGrowthHours } from '../../../observe/rules/kafka.ts'
import { type AlertingRule, type AlertingRules, critical, type RuleSource, warning } from '../alerting-rule.ts'
import { ago, down, each, lookedAt, over, ratio, unjudged } from '../expressions.ts'

/** Rules about brokers, topic, database and clocks. */
export const serverRules: AlertingRules<
  | 'KafkaUnreachable'
  | 'TopicMissing'
  | 'PartitionsOffline'
  | 'KafkaDiskHigh'
  | 'PostgresUnreachable'
  | 'SchemaInvalid'
  | 'ClockSkew'
  | 'PoolSaturated'
> = {
  KafkaUnreachable: () => [
    critical('KafkaUnreachable', {
      expr: down('kafka'),
      summary: 'Kafka does not answer, or refuses the login or the certificate',
    }),
  ],
  TopicMissing: () => [
    critical('TopicMissing', {
      expr: `${down('topic')} unless on (job) ${unjudged('TopicMissing')}`,
      summary: 'the topic does not exist, or is another one than that of the stored rows',
    }),
  ],
  PartitionsOffline: () => [
    critical('PartitionsOffline', {
      expr: `${each('market_kpi_partitions_without_leader')} > 0`,
      summary: '{{ $value }} partitions are without a leader',
    }),
    warning('PartitionsOffline', {
      expr: `${each('market_kpi_partitions_under_replicated')} > 0`,
      labels: { kind: 'under-replicated' },
      summary: '{{ $value }} partitions have fewer replicas in sync than configured',
    }),
  ],
  KafkaDiskHigh: diskRules,
  PostgresUnreachable: () => [
    critical('PostgresUnreachable', {
      expr: down('postgres'),
      summary: 'PostgreSQL does not answer, refuses the login, or accepts no writes',
    }),
  ],
  SchemaInvalid: () => [
    critical('SchemaInvalid', {
      expr: `${each('market_kpi_schema_missing')} > 0`,
      summary: '{{ $value }} migrations, tables or columns are missing',
    }),
    warning('SchemaInvalid', {
      expr: `${each('market_kpi_schema_differences')} > 0`,
      summary: 'the schema is newer than this market-kpi, or the database has other settings',
    }),
  ],
  ClockSkew: clockRules,
  PoolSaturated: poolRules,
}

const volume = ['broker', 'directory']

function diskRules({ thresholds: { disk } }: RuleSource): AlertingRule[] {
  const size = each('market_kpi_kafka_volume_size_bytes', volume)
  const used = `1 - ${each('market_kpi_kafka_volume_usable_bytes', volume)} / ${size}`
  const [warningRatio, criticalRatio] = [ratio(disk.warningPercent), ratio(disk.criticalPercent)]
  const by = `by (job, ${volume.join(', ')})`
  const on = `on (job, ${volume.join(', ')})`
  const full = `max ${by} (predict_linear(market_kpi_kafka_volume_usable_bytes[1d], ${disk.fullSeconds})) < 0`
  const longAgo = `max ${by} (market_kpi_kafka_volume_size_bytes offset ${minGrowthHours}h)`
  const summary =
    'the volume of {{ $labels.directory }} on broker {{ $labels.broker }} is {{ $value | humanizePercentage }} full'
  return [
    critical('KafkaDiskHigh', { expr: `${used} > ${criticalRatio}`, summary }),
    warning('KafkaDiskHigh', {
      expr: `${used} > ${warningRatio} or (${used} and ${on} (${full}) and ${on} ${longAgo})`,
      summary: `${summary}, or will be full within ${disk.fullSeconds / 3600} hours`,
    }),
  ]
}

const clocks = ['database', 'broker', 'feed', 'producer'] as const
type Clock = (typeof clocks)[number]

const clockSummaries: Readonly<Record<Clock, string>> = {
  database: "the database's clock and ours are {{ $value | humanizeDuration }} apart",
  broker: "a broker's clock is {{ $value | humanizeDuration }} ahead of ours",
  producer: "the producer writes Kafka's record timestamps in another unit than milliseconds",
  feed: "the feed's clock is ahead: its newest price is in the future, or its messages are rejected for that",
}

function clockRules({ thresholds: { clockSkew, errorRate } }: RuleSource): AlertingRule[] {
  const rejectedMessages = (selector = '') =>
    `sum by (job) (${each('market_kpi_dead_letters_recent', ['reason'], selector)})`
  const ofFuture = rejectedMessages('{reason="future_timestamp"}')
  // At least half of the rejected messages must have future timestamps; a single bad message is no sign of a wrong clock.
  const future = `${ofFuture} > 0 and on (job) 2 * ${ofFuture} >= ${rejectedMessages()}`
  const share = each('market_kpi_error_ratio')
  const limits = [
    [critical, clockSkew.criticalSeconds, `${future} and on (job) ${share} > ${ratio(errorRate.criticalPercent)}`],
    // A warning fires even if the share is unknown.
    [warning, clockSkew.warningSeconds, `${future} unless on (job) ${share} <= ${ratio(errorRate.warningPercent)}`],
  ] as const
  return limits.flatMap(([make, seconds, rejected]) => {
    const skewed = { ...skews(seconds, rejected), producer: make === critical ? inSeconds : inSmallerUnit }
    return clocks.map((clock) =>
      make('ClockSkew', { expr: skewed[clock], labels: { clock }, summary: clockSummaries[clock] }),
    )
  })
}

/** Prices are rejected if the unit is seconds. */
const inUnits = (units: string) =>
  `max by (job) (${each('market_kpi_record_timestamps_in_wrong_unit', ['unit'], `{unit=~"${units}"}`)}) == 1`
const inSeconds = inUnits('seconds')
const inSmallerUnit = inUnits('microseconds|nanoseconds')

function skews(seconds: number, rejected: string): Record<Exclude<Clock, 'producer'>, string> {
  const apart = `abs(${each('market_kpi_postgres_clock_ahead_seconds')}) - ${each('market_kpi_postgres_latency_seconds')}`
  const ahead = (metric: PipelineMetric) => `${each(metric)} - ${lookedAt} > ${seconds}`
  return {
    database: `${apart} > ${seconds}`,
    broker: `${ahead('market_kpi_newest_record_timestamp_seconds')} and on (job) ${each('market_kpi_log_append_time')} == 1`,
    feed: `${ahead('market_kpi_newest_price_timestamp_seconds')} or (${rejected})`,
  }
}

function poolRules({ thresholds: { pool } }: RuleSource): AlertingRule[] {
  const metric = 'market_kpi_pool_pressure_ratio'
  const limit = ratio(pool.criticalPercent)
  const always = over('min_over_time', metric, pool.criticalSeconds)
  const before = ago(metric, pool.criticalSeconds)
  const summary = "queries wait for a worker's database connections: {{ $value | humanizePercentage }}"
  return [
    critical('PoolSaturated', {
      expr: `${each(metric)} > ${limit} and on (job) ${always} > ${limit} and on (job) ${before} > ${limit}`,
      summary,
    }),
    warning('PoolSaturated', { expr: `${each(metric)} > ${ratio(pool.warningPercent)}`, summary }),
  ]
}
