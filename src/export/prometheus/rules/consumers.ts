import { youngTransactionSeconds } from '../../../observe/rules/consumer.ts'
import { type AlertingRule, type AlertingRules, critical, type RuleSource, warning } from '../alerting-rule.ts'
import { ageOfEach, ago, down, each, over, unjudged } from '../expressions.ts'

const consumers = '{kind="consumer"}'

/** Rules about workers, positions, lag, throughput and open transactions. */
export const consumerRules: AlertingRules<
  | 'WorkerDown'
  | 'NoConsumer'
  | 'ConsumerStalled'
  | 'ConsumerLagHigh'
  | 'ConsumerLagGrowing'
  | 'ThroughputLow'
  | 'TransactionStuck'
> = {
  WorkerDown: () => [
    critical('WorkerDown', {
      expr: `${each('market_kpi_workers_missing', ['kind'], consumers)} > 0 and on (job) ${each('market_kpi_workers', [], consumers)} == 0`,
      summary: 'the last worker ended without shutting down cleanly',
    }),
    warning('WorkerDown', {
      expr: `${each('market_kpi_workers_missing', ['kind'])} > 0`,
      summary: '{{ $value }} {{ $labels.kind }}s ended without shutting down cleanly, and none replaced them',
    }),
  ],
  NoConsumer: () => [
    critical('NoConsumer', {
      expr: `${down('consumer')} unless on (job) ${down('topic')} unless on (job) ${unjudged('NoConsumer')}`,
      summary: 'no worker reads the topic, or some of its partitions',
    }),
  ],
  ConsumerStalled: (source) => [
    critical('ConsumerStalled', {
      expr: `count by (job) (${stalled(source)} or ${outside()}) or ${each('market_kpi_partitions_stranded')} > 0`,
      summary: '{{ $value }} partitions have messages to read, and their position does not advance',
    }),
  ],
  ConsumerLagHigh: lagHighRules,
  ConsumerLagGrowing: lagGrowingRules,
  ThroughputLow: throughputRules,
  TransactionStuck: transactionRules,
}

/** Partitions with readable messages whose position has not moved for long. */
function stalled({ thresholds: { lag }, intervalSeconds }: RuleSource): string {
  const on = 'on (job, partition)'
  const seconds = lag.stalledSeconds
  const waits = `${each('market_kpi_partition_readable_lag_messages', ['partition'])} > 0`
  const ahead = each('market_kpi_postgres_clock_ahead_seconds')
  const moved = `${ageOfEach('market_kpi_partition_moved_timestamp_seconds', 'partition')} + on (job) group_left () ${ahead} > ${seconds}`
  const oldest = `${ageOfEach('market_kpi_partition_oldest_unread_timestamp_seconds', 'partition')} > ${seconds}`
  const always = `${over('min_over_time', 'market_kpi_partition_readable_lag_messages', seconds + intervalSeconds, ['partition'])} > 0`
  const append = each('market_kpi_log_append_time')
  // If producers set the timestamps, they do not show how long a message has waited.
  const waitedLong = `((${oldest} and on (job) ${append} == 1) or (${always} unless on (job) ${append} == 1))`
  return `(${waits} and ${on} ${moved} and ${on} ${waitedLong})`
}

/** Partitions whose position is outside of their log. */
function outside(): string {
  const [start, end] = (['start', 'end'] as const).map((at) =>
    each(`market_kpi_partition_log_${at}_offset`, ['partition']),
  )
  const next = each('market_kpi_partition_next_offset', ['partition'])
  return `(${next} < ${start} or ${next} > ${end})`
}

/** Messages in or behind an open transaction, and for how long it has been open. */
const blocked = `(${each('market_kpi_partition_lag_messages', ['partition'])} - ${each('market_kpi_partition_readable_lag_messages', ['partition'])} > 0)`
const openFor = ageOfEach('market_kpi_partition_transaction_open_since_timestamp_seconds', 'partition')

function transactionRules({ thresholds: { transaction } }: RuleSource): AlertingRule[] {
  const openLongerThan = (seconds: number) => ({
    expr: `${blocked} and on (job, partition) ${openFor} > ${seconds}`,
    summary: 'partition {{ $labels.partition }}: {{ $value | humanize }} messages wait for an open transaction',
  })
  return [
    critical('TransactionStuck', openLongerThan(transaction.criticalSeconds)),
    warning('TransactionStuck', openLongerThan(transaction.warningSeconds)),
  ]
}

function lagHighRules({ thresholds: { lag } }: RuleSource): AlertingRule[] {
  const { warningMessages, backlogSeconds } = lag
  const known = `sum by (job) (${each('market_kpi_partition_lag_messages', ['partition'])})`
  // Messages of a transaction that has just begun will soon be readable.
  const young = `sum by (job) (${blocked} and on (job, partition) ${openFor} < ${youngTransactionSeconds})`
  return [
    warning('ConsumerLagHigh', {
      // A replay at full speed always has many messages waiting.
      expr: `${known} - (${young} or 0 * ${known}) > ${warningMessages} unless on (job) (${each('market_kpi_feed_replays_at_full_speed')} == 1 and on (job) ${each('market_kpi_replay_behind_seconds')} < ${backlogSeconds})`,
      summary: '{{ $value | humanize }} messages wait',
    }),
  ]
}

function lagGrowingRules({ thresholds: { lag } }: RuleSource): AlertingRule[] {
  const { targetMessages, growingSeconds } = lag
  // The lag is larger than before, was always above the target, and never shrank between two observations.
  const growing = (
    metric: 'market_kpi_readable_lag_messages' | 'market_kpi_partition_readable_lag_messages',
    labels: string[],
  ) =>
    [
      `${each(metric, labels)} > ${ago(metric, growingSeconds, labels)}`,
      `${over('min_over_time', metric, growingSeconds, labels)} > ${targetMessages}`,
      `${over('resets', metric, growingSeconds, labels)} == 0`,
    ].join(` and on (${['job', ...labels].join(', ')}) `)
  const partition = ['partition']
  const next = 'market_kpi_partition_next_offset' as const
  const rewound = `${each(next, partition)} < ${over('max_over_time', next, 600, partition)} and on (job, partition) ${each('market_kpi_partition_readable_lag_messages', partition)} > ${targetMessages}`
  const anyPartition = (what: string) => `count by (job) (${what})`
  return [
    warning('ConsumerLagGrowing', {
      expr: `(${growing('market_kpi_readable_lag_messages', [])}) or ${anyPartition(growing('market_kpi_partition_readable_lag_messages', partition))} or ${anyPartition(rewound)}`,
      summary: `the lag has been growing for ${growingSeconds} s, or a position moved back`,
    }),
  ]
}

function throughputRules({ thresholds: { lag, throughput }, intervalSeconds }: RuleSource): AlertingRule[] {
  const { warningMessages, backlogSeconds } = lag
  const { warningPerSecond, criticalPerSecond, criticalSeconds } = throughput
  const backlogFor = (seconds: number) =>
    `${over('min_over_time', 'market_kpi_readable_lag_messages', seconds)} > ${warningMessages} and on (job) ${ago('market_kpi_readable_lag_messages', seconds)} > ${warningMessages}`
  const oldest = `max by (job) (${ageOfEach('market_kpi_partition_oldest_unread_timestamp_seconds', 'partition')}) >= ${backlogSeconds}`
  const backlog = `${each('market_kpi_readable_lag_messages')} > ${warningMessages} and on (job) ((${backlogFor(backlogSeconds)}) or ${oldest})`
  const slow = `${each('market_kpi_throughput_messages_per_second')} < ${warningPerSecond}`
  const span = criticalSeconds + intervalSeconds
  const counted = (['merged', 'rejected'] as const).map((what) =>
    over('rate', `market_kpi_messages_${what}_total`, span),
  )
  const summary = '{{ $value | humanize }} messages/s, with a backlog waiting'
  return [
    critical('ThroughputLow', {
      expr: `${slow} and on (job) (${backlogFor(criticalSeconds)}) and on (job) ${counted.join(' + ')} < ${criticalPerSecond}`,
      summary,
    }),
    warning('ThroughputLow', { expr: `${slow} and on (job) (${backlog})`, summary }),
  ]
}
