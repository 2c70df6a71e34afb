/** The parts of the pipeline in the order of the data; the first broken one is named. */
export const stages = ['feed', 'kafka', 'consumer', 'postgres', 'kpi'] as const
export type Stage = (typeof stages)[number]

/** As people read them. */
export const stageNames: Readonly<Record<Stage, string>> = {
  feed: 'Feed',
  kafka: 'Kafka',
  consumer: 'Consumer',
  postgres: 'PostgreSQL',
  kpi: 'KPI',
}

/** A summary for a line that begins with a name: under `Kafka`, "Kafka at HOST does not answer" becomes "HOST does not answer". */
export function underName(name: string, summary: string): string {
  const repeated = `${name} at `
  return summary.startsWith(repeated) ? summary.slice(repeated.length) : summary
}

/** From harmless to worst. */
export const severities = ['info', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/** Every rule of the pipeline. What each one needs is in rule-table.ts. */
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

/** What a rule found: a problem, information, or that it could not judge. */
export interface Finding {
  readonly rule: RuleName
  readonly severity: Severity
  readonly stage: Stage
  /** What distinguishes two findings of one rule, such as `{ partition: '2' }`; the same in every observation of the same problem. */
  readonly labels: Readonly<Record<string, string>>
  /** One line for people, without secrets. */
  readonly summary: string
  /** What was measured; null where nothing could be. */
  readonly value: number | null
  readonly unit: string | null
  /** The rule could not be judged; the summary says why. */
  readonly isUnknown: boolean
  /** The rule that explains this finding: it is a symptom, for which no notification is sent. */
  readonly inhibitedBy: RuleName | null
}

export function isAtLeast(severity: Severity, floor: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(floor)
}
