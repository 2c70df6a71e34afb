/** The stages of the pipeline in the order in which data flows through them. Reports name the first broken one. */
export const stages = ['feed', 'kafka', 'consumer', 'postgres', 'kpi'] as const
export type Stage = (typeof stages)[number]

/** Display names. */
export const stageNames: Readonly<Record<Stage, string>> = {
  feed: 'Feed',
  kafka: 'Kafka',
  consumer: 'Consumer',
  postgres: 'PostgreSQL',
  kpi: 'KPI',
}

/**
 * Shortens a summary for a line that already begins with the name: under `Kafka`, "Kafka at HOST does not answer"
 * becomes "HOST does not answer".
 */
export function underName(name: string, summary: string): string {
  const repeated = `${name} at `
  return summary.startsWith(repeated) ? summary.slice(repeated.length) : summary
}

/** From least to most severe. */
export const severities = ['info', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/** Every rule that checks the pipeline. rule-table.ts has one row for each. */
export const ruleNames = [
  'KafkaUnreachable',
  'TopicMissing',
  'PartitionsOffline',
  'KafkaDiskHigh',
  'PostgresUnreachable',
  'SchemaInvalid',
  'ClockSkew',
  'FeedSilent',
  'WorkerDown',
  'NoConsumer',
  'ConsumerStalled',
  'ConsumerLagHigh',
  'ConsumerLagGrowing',
  'ThroughputLow',
  'PoolSaturated',
  'ErrorRateHigh',
  'DeadLettersGrowing',
  'KpiStale',
  'TransactionStuck',
  'PrecisionLost',
] as const
export type RuleName = (typeof ruleNames)[number]

export function isRuleName(name: string): name is RuleName {
  return (ruleNames as readonly string[]).includes(name)
}

/** The result of a rule: a problem, information, or that the rule could not be evaluated. */
export interface Finding {
  readonly rule: RuleName
  readonly severity: Severity
  readonly stage: Stage
  /**
   * Labels distinguish two findings of one rule, such as `{ partition: '2' }`. They are the same in every observation
   * of the same problem.
   */
  readonly labels: Readonly<Record<string, string>>
  /** One line for people, without secrets. */
  readonly summary: string
  /** The measured value; null if nothing could be measured. */
  readonly value: number | null
  readonly unit: string | null
  /** Whether the rule could not be evaluated; the summary says why. */
  readonly isUnknown: boolean
  /**
   * The rule whose finding is the cause of this one. A finding with a cause is a symptom: no notification is sent for
   * it.
   */
  readonly inhibitedBy: RuleName | null
}

export function isAtLeast(severity: Severity, floor: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(floor)
}
