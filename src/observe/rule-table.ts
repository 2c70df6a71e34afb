// One row for each rule: its function, and how `health` and `alerts check` list its findings. To add a rule, begin with
// its name in finding.ts; the code compiles once the rule has a row here, in alerts/alert-rules.ts, in
// alerts/rule-texts.ts and among the Prometheus rules.

import type { CheckKey, ItemName } from './check-names.ts'
import type { RuleName, Stage } from './finding.ts'
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

type Labels = Readonly<Record<string, string>>

export interface RuleEntry {
  readonly find: Rule
  /** The stage of its findings, unless a finding names another one. */
  readonly stage: Stage
  /** The check of `health` that reports its findings. */
  readonly check: (labels: Labels) => CheckKey
  /** The item of `alerts check` that its findings are listed under. */
  readonly item: (labels: Labels) => ItemName
  /**
   * Rules that inhibit this one: if one of them has a finding, it is the cause, and no notification is sent for this
   * rule. The first rule in the list that has one is named as the cause.
   */
  readonly explainedBy: readonly RuleName[]
}

/** While one of these rules has a finding, no message can be merged. */
const noInput = [
  'KafkaUnreachable',
  'PostgresUnreachable',
  'TopicMissing',
  'SchemaInvalid',
  'PartitionsOffline',
] as const
const noDatabase = ['PostgresUnreachable', 'SchemaInvalid'] as const
const notConsumed = [...noInput, 'NoConsumer'] as const

export const ruleTable: Readonly<Record<RuleName, RuleEntry>> = {
  KafkaUnreachable: {
    find: kafkaUnreachable,
    stage: 'kafka',
    check: () => 'kafka:connectivity',
    item: () => 'Kafka',
    explainedBy: [],
  },
  TopicMissing: {
    find: topicMissing,
    stage: 'kafka',
    check: () => 'kafka:topic',
    item: () => 'Kafka topic',
    explainedBy: ['KafkaUnreachable'],
  },
  PartitionsOffline: {
    find: partitionsOffline,
    stage: 'kafka',
    check: () => 'kafka:topic',
    item: () => 'Kafka topic',
    explainedBy: ['KafkaUnreachable', 'TopicMissing'],
  },
  KafkaDiskHigh: {
    find: kafkaDiskHigh,
    stage: 'kafka',
    check: () => 'kafka:disk',
    item: () => 'Kafka disk',
    explainedBy: ['KafkaUnreachable'],
  },
  PostgresUnreachable: {
    find: postgresUnreachable,
    stage: 'postgres',
    check: () => 'postgres:connectivity',
    item: () => 'PostgreSQL',
    explainedBy: [],
  },
  SchemaInvalid: {
    find: schemaInvalid,
    stage: 'postgres',
    check: () => 'postgres:schema',
    item: () => 'Database schema',
    explainedBy: ['PostgresUnreachable'],
  },
  ClockSkew: {
    find: clockSkew,
    stage: 'feed',
    check: ({ clock }) =>
      clock === 'database' ? 'postgres:connectivity' : clock === 'broker' ? 'kafka:connectivity' : 'feed:activity',
    item: () => 'Clocks',
    explainedBy: [],
  },
  FeedSilent: {
    find: feedSilent,
    stage: 'feed',
    check: () => 'feed:activity',
    item: () => 'Feed',
    explainedBy: ['KafkaUnreachable', 'TopicMissing', 'PartitionsOffline'],
  },
  WorkerDown: {
    find: workerDown,
    stage: 'consumer',
    check: ({ kind }) => (kind === 'feed' ? 'feed:activity' : 'consumer:throughput'),
    item: ({ kind }) => (kind === 'feed' ? 'Feed' : 'Workers'),
    explainedBy: [
      'KafkaUnreachable',
      'PostgresUnreachable',
      'TopicMissing',
      'SchemaInvalid',
      'FeedSilent',
      'NoConsumer',
    ],
  },
  NoConsumer: {
    find: noConsumer,
    stage: 'consumer',
    check: () => 'consumer:lag',
    item: () => 'Workers',
    explainedBy: noInput,
  },
  ConsumerStalled: {
    find: consumerStalled,
    stage: 'consumer',
    check: () => 'consumer:lag',
    item: () => 'Consumer lag',
    explainedBy: notConsumed,
  },
  // Only this rule and KpiStale count messages that wait for an open transaction.
  ConsumerLagHigh: {
    find: consumerLagHigh,
    stage: 'consumer',
    check: () => 'consumer:lag',
    item: () => 'Consumer lag',
    explainedBy: [...notConsumed, 'ConsumerStalled', 'TransactionStuck', 'PoolSaturated'],
  },
  ConsumerLagGrowing: {
    find: consumerLagGrowing,
    stage: 'consumer',
    check: () => 'consumer:lag',
    item: () => 'Consumer lag',
    explainedBy: [...notConsumed, 'ConsumerStalled', 'PoolSaturated', 'ConsumerLagHigh'],
  },
  ThroughputLow: {
    find: throughputLow,
    stage: 'consumer',
    check: () => 'consumer:throughput',
    item: () => 'Throughput',
    explainedBy: [...notConsumed, 'ConsumerStalled', 'PoolSaturated', 'ConsumerLagHigh'],
  },
  PoolSaturated: {
    find: poolSaturated,
    stage: 'postgres',
    check: () => 'postgres:pool',
    item: () => 'Database connections',
    explainedBy: [...noDatabase, 'NoConsumer'],
  },
  ErrorRateHigh: {
    find: errorRateHigh,
    stage: 'feed',
    check: () => 'consumer:errors',
    item: () => 'Error rate',
    explainedBy: [...noDatabase, 'ClockSkew'],
  },
  DeadLettersGrowing: {
    find: deadLettersGrowing,
    stage: 'feed',
    check: () => 'consumer:errors',
    item: () => 'Error rate',
    explainedBy: [...noDatabase, 'ClockSkew', 'ErrorRateHigh'],
  },
  KpiStale: {
    find: kpiStale,
    stage: 'kpi',
    check: () => 'kpi:freshness',
    item: () => 'Data freshness',
    explainedBy: [
      ...noInput,
      'ClockSkew',
      'FeedSilent',
      'NoConsumer',
      'ConsumerStalled',
      'TransactionStuck',
      'PoolSaturated',
      'ConsumerLagHigh',
      'ErrorRateHigh',
    ],
  },
  TransactionStuck: {
    find: transactionStuck,
    stage: 'kafka',
    check: () => 'consumer:lag',
    item: () => 'Consumer lag',
    explainedBy: notConsumed,
  },
  PrecisionLost: {
    find: precisionLost,
    stage: 'kpi',
    check: () => 'kpi:precision',
    item: () => 'Decimal places',
    explainedBy: noDatabase,
  },
}
