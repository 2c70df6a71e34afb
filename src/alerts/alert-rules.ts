import type { RuleName } from '../observe/finding.ts'

/**
 * How many observations an alert waits before it fires and resolves. Waiting that belongs to the rule itself ("for one
 * minute") has already passed when there is a finding.
 */
export interface RulePatience {
  /** How many further observations after the first must have the finding before the alert fires. */
  readonly forChecks: number
  /** The finding must also last for at least this time, however short the interval is. */
  readonly leastForMs?: number
  /**
   * How many further observations in a row after the first must be without the finding before the alert is resolved.
   */
  readonly keepChecks: number
  /** While one of these rules has a finding, this rule cannot detect its problem, so its alert is not resolved. */
  readonly blindWhile: readonly RuleName[]
}

/** For facts: fires at the first observation, and resolves at the second one without the finding. */
const fact = { forChecks: 0, keepChecks: 1 }
/**
 * For findings that a single observation may have by chance: during a pause of a server, a rebalance, or just after a
 * worker has reconnected.
 */
const confirmed = { forChecks: 1, keepChecks: 1 }
/** For values that fluctuate around their threshold, or are high for a moment after every repair. */
const swinging = { forChecks: 2, keepChecks: 4 }

/** Workers report every five seconds. One report must not count twice because it is seen in two observations. */
const reportedTwiceMs = 10_000

const noKafka = ['KafkaUnreachable'] as const
const noTopic = ['KafkaUnreachable', 'TopicMissing'] as const
const noRows = ['PostgresUnreachable', 'SchemaInvalid'] as const
const noPipeline = [...noTopic, ...noRows] as const

/** For each rule of the pipeline; described in docs/operations.md. */
export const rulePatience: Readonly<Record<RuleName, RulePatience>> = {
  KafkaUnreachable: { ...confirmed, blindWhile: [] },
  TopicMissing: { ...fact, blindWhile: noKafka },
  PartitionsOffline: { ...confirmed, blindWhile: noTopic },
  KafkaDiskHigh: { ...fact, blindWhile: noKafka },
  PostgresUnreachable: { ...confirmed, blindWhile: [] },
  SchemaInvalid: { ...fact, blindWhile: ['PostgresUnreachable'] },
  ClockSkew: { ...confirmed, blindWhile: ['KafkaUnreachable', 'PostgresUnreachable'] },
  FeedSilent: { ...confirmed, blindWhile: noPipeline },
  WorkerDown: { ...confirmed, blindWhile: noRows },
  NoConsumer: { ...confirmed, blindWhile: noTopic },
  ConsumerStalled: { ...confirmed, blindWhile: noPipeline },
  ConsumerLagHigh: { ...swinging, blindWhile: noPipeline },
  ConsumerLagGrowing: { ...swinging, forChecks: 1, blindWhile: noPipeline },
  ThroughputLow: { ...swinging, forChecks: 1, blindWhile: noPipeline },
  TransactionStuck: { ...fact, blindWhile: noPipeline },
  PoolSaturated: { ...swinging, forChecks: 1, leastForMs: reportedTwiceMs, blindWhile: noRows },
  ErrorRateHigh: { ...fact, blindWhile: noRows },
  DeadLettersGrowing: { ...fact, blindWhile: noRows },
  KpiStale: { ...confirmed, blindWhile: noPipeline },
  PrecisionLost: { ...fact, blindWhile: noRows },
}

/** Rules about the alerting itself. */
export const ownRuleNames = ['NotifierFailing', 'UserRuleFailing', 'Watchdog'] as const
export type OwnRuleName = (typeof ownRuleNames)[number]

/** `RulePatience` in milliseconds, at the interval of the evaluator. */
export interface Timing {
  readonly forMs: number
  readonly keepFiringForMs: number
  readonly blindWhile: readonly string[]
}

/** @param userForMs - The `for` of each rule of market-kpi.yaml, by its name. */
export function timingsAt(intervalMs: number, userForMs: ReadonlyMap<string, number>): (rule: string) => Timing {
  return (rule) => {
    const patience: RulePatience = isPipelineRule(rule) ? rulePatience[rule] : { ...fact, blindWhile: [] }
    return {
      forMs: userForMs.get(rule) ?? forMsOf(patience, intervalMs),
      keepFiringForMs: patience.keepChecks * intervalMs,
      blindWhile: patience.blindWhile,
    }
  }
}

export function forMsOf({ forChecks, leastForMs = 0 }: RulePatience, intervalMs: number): number {
  return Math.max(forChecks * intervalMs, leastForMs)
}

function isPipelineRule(rule: string): rule is RuleName {
  return Object.hasOwn(rulePatience, rule)
}
