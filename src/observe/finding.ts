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

/** Every rule, in the order of its number. */
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

/** What a rule found: something wrong, something to know, or that it cannot tell. */
export interface Finding {
  readonly rule: RuleName
  readonly severity: Severity
  readonly stage: Stage
  /** What tells two findings of one rule apart: `{ partition: '2' }`; the same in every look at the same trouble. */
  readonly labels: Readonly<Record<string, string>>
  /** One line for people, without secrets. */
  readonly summary: string
  /** What was measured; null where nothing could be. */
  readonly value: number | null
  readonly unit: string | null
  /** The rule could not be judged, and the summary says why. Neither good nor bad. */
  readonly isUnknown: boolean
  /** The finding that explains this one: a symptom, of which nobody needs to be told. */
  readonly inhibitedBy: RuleName | null
}

export function isAtLeast(severity: Severity, floor: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(floor)
}
