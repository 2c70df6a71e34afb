import { type Finding, isAtLeast, type RuleName } from './finding.ts'

const consuming = [
  'TransactionStuck',
  'ConsumerStalled',
  'ConsumerLagHigh',
  'ConsumerLagGrowing',
  'ThroughputLow',
  'KpiStale',
] as const satisfies RuleName[]

/** What each rule's finding explains. Nearest to the cause first: a symptom is put down to the first that fits. */
export const symptomsOf: readonly (readonly [cause: RuleName, symptoms: readonly RuleName[]])[] = [
  [
    'KafkaUnreachable',
    ['TopicMissing', 'PartitionsOffline', 'KafkaDiskHigh', 'FeedSilent', 'WorkerDown', 'NoConsumer', ...consuming],
  ],
  [
    'PostgresUnreachable',
    [
      'SchemaInvalid',
      'WorkerDown',
      'NoConsumer',
      'PoolSaturated',
      'ErrorRateHigh',
      'DeadLettersGrowing',
      'PrecisionLost',
      ...consuming,
    ],
  ],
  ['TopicMissing', ['PartitionsOffline', 'FeedSilent', 'WorkerDown', 'NoConsumer', ...consuming]],
  [
    'SchemaInvalid',
    ['WorkerDown', 'NoConsumer', 'PoolSaturated', 'ErrorRateHigh', 'DeadLettersGrowing', 'PrecisionLost', ...consuming],
  ],
  ['PartitionsOffline', ['FeedSilent', 'NoConsumer', ...consuming]],
  ['ClockSkew', ['ErrorRateHigh', 'DeadLettersGrowing', 'KpiStale']],
  ['FeedSilent', ['WorkerDown', 'KpiStale']],
  ['NoConsumer', ['WorkerDown', 'PoolSaturated', ...consuming]],
  ['ConsumerStalled', ['ConsumerLagHigh', 'ConsumerLagGrowing', 'ThroughputLow', 'KpiStale']],
  // What else these rules find of the consumer is judged without the messages that wait for a transaction.
  ['TransactionStuck', ['ConsumerLagHigh', 'KpiStale']],
  ['PoolSaturated', ['ConsumerLagHigh', 'ConsumerLagGrowing', 'ThroughputLow', 'KpiStale']],
  ['ConsumerLagHigh', ['ConsumerLagGrowing', 'ThroughputLow', 'KpiStale']],
  ['ErrorRateHigh', ['DeadLettersGrowing', 'KpiStale']],
]

/** Of two rules that explain a worker's death, only the one of its own kind does. */
export const kindOf: Partial<Record<RuleName, string>> = { FeedSilent: 'feed', NoConsumer: 'consumer' }

/**
 * Marks the findings that another one explains, with that one's rule. A cause explains nothing graver than itself: a
 * warning never hides what somebody must be called for.
 */
export function markSymptoms(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => {
    const cause = symptomsOf.find(
      ([rule, symptoms]) => symptoms.includes(finding.rule) && findings.some((other) => explains(other, rule, finding)),
    )
    return cause ? { ...finding, inhibitedBy: cause[0] } : finding
  })
}

function explains(other: Finding, rule: RuleName, symptom: Finding): boolean {
  if (other.rule !== rule || other.isUnknown || other.severity === 'info') return false
  const kind = kindOf[rule]
  if (symptom.rule === 'WorkerDown' && kind !== undefined && symptom.labels.kind !== kind) return false
  return symptom.isUnknown || isAtLeast(other.severity, symptom.severity)
}
