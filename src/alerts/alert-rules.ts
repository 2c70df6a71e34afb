import type { RuleName } from '../observe/finding.ts'

/** How patient an alert of a rule is, in looks: what a rule itself waits for ("for one minute") is in its finding already. */
export interface RulePatience {
  /** Looks after the first that must find it too before it fires. */
  readonly forChecks: number
  /** And for at least so long, however short the interval. */
  readonly leastForMs?: number
  /** Looks in a row, the first left out, that must not find it before it is resolved. */
  readonly keepChecks: number
  /** While one of these is found, the silence of this rule says nothing: it could not have seen its trouble. */
  readonly blindWhile: readonly RuleName[]
}

/** A fact, true from the first look on; one good look more before the all-clear. */
const fact = { forChecks: 0, keepChecks: 1 }
/** A single look may be unlucky: a pause of a server, a rebalance, a worker that has only just reconnected. */
const confirmed = { forChecks: 1, keepChecks: 1 }
/** A figure that swings about its threshold, or is high for a moment after every repair. */
const swinging = { forChecks: 2, keepChecks: 4 }

/** Workers tell of themselves every five seconds: what one of them told once must not count for two looks. */
const reportedTwiceMs = 10_000

const noKafka = ['KafkaUnreachable'] as const
const noTopic = ['KafkaUnreachable', 'TopicMissing'] as const
const noRows = ['PostgresUnreachable', 'SchemaInvalid'] as const
const noPipeline = [...noTopic, ...noRows] as const

/** Of each rule of the pipeline; docs/operations.md says the same in words. */
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

/** The same in milliseconds, at the interval of whoever looks. */
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
