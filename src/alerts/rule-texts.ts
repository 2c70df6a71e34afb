// Texts about each rule: one line that describes it, and the text of a resolved alert.

import type { RuleName } from '../observe/finding.ts'
import type { OwnRuleName } from './alert-rules.ts'

/** Addresses and names that a text can use besides the labels of the alert. */
export interface Places {
  /** `HOST:PORT`; several are separated by commas. */
  readonly kafka: string
  /** `HOST:PORT/DATABASE`. */
  readonly postgres: string
  readonly topic: string
}

interface RuleText {
  /** One line, shown by `alerts explain` without a rule. */
  readonly about: string
  /** Names of the labels that its alerts can have. */
  readonly labels: readonly string[]
  /**
   * The text of a resolved alert, without a full stop, since " after 4 min" is appended. It says what works again
   * instead of repeating the finding in the present tense.
   */
  readonly resolved: (labels: Readonly<Record<string, string>>, places: Places) => string
}

/** The type requires texts for every rule. */
export const ruleTexts: Readonly<Record<RuleName | OwnRuleName, RuleText>> = {
  KafkaUnreachable: {
    about: 'no broker answers, or the brokers refuse the login or the certificate',
    labels: [],
    resolved: (_, { kafka }) => `Kafka at ${kafka} answers again`,
  },
  TopicMissing: {
    about: 'the topic does not exist, or was deleted and created again',
    labels: [],
    resolved: (_, { topic }) => `the topic '${topic}' is available again`,
  },
  PartitionsOffline: {
    about: 'partitions have no leader, or fewer replicas in sync than configured',
    labels: ['kind'],
    resolved: ({ kind }, { topic }) =>
      kind === undefined
        ? `every partition of '${topic}' has a leader again`
        : `every partition of '${topic}' has all its replicas in sync again`,
  },
  KafkaDiskHigh: {
    about: "a volume with Kafka's logs is nearly full, or will be soon",
    labels: ['broker', 'directory'],
    resolved: ({ directory, broker }) => `the volume of ${directory} on broker ${broker} has enough free space again`,
  },
  PostgresUnreachable: {
    about: 'PostgreSQL does not answer, refuses the login, or accepts no writes',
    labels: [],
    resolved: (_, { postgres }) => `PostgreSQL at ${postgres} answers and accepts writes again`,
  },
  SchemaInvalid: {
    about: 'the database is not prepared for this version or these settings',
    labels: [],
    resolved: (_, { postgres }) => `the schema at ${postgres} fits this version and its settings again`,
  },
  ClockSkew: {
    about: 'the clocks of the database, the brokers or the feed disagree',
    labels: ['clock'],
    resolved: ({ clock }) =>
      clock === 'feed'
        ? 'prices no longer carry timestamps from the future'
        : clock === 'producer'
          ? 'new records carry timestamps in milliseconds'
          : `the ${clock}'s clock agrees with this machine's again`,
  },
  FeedSilent: {
    about: 'no new messages come into the topic during trading hours',
    labels: [],
    resolved: (_, { topic }) => `'${topic}' receives messages again, or none are due now`,
  },
  WorkerDown: {
    about: 'a worker or a feed ended without a clean shutdown and has no successor',
    labels: ['kind', 'worker'],
    resolved: ({ kind, worker }) => `the work of the ${kind} ${worker} is done again`,
  },
  NoConsumer: {
    about: 'no worker reads the topic, or some of its partitions',
    labels: [],
    resolved: (_, { topic }) => `workers read all partitions of '${topic}' again`,
  },
  ConsumerStalled: {
    about: 'messages wait in a partition, and its position does not move',
    labels: [],
    resolved: (_, { topic }) => `no partition of '${topic}' is stalled any more`,
  },
  ConsumerLagHigh: {
    about: 'many messages wait to be read',
    labels: [],
    resolved: () => 'the consumer lag is below its limit again',
  },
  ConsumerLagGrowing: {
    about: 'the number of waiting messages has been growing for minutes, or a position moved back',
    labels: [],
    resolved: () => 'the consumer lag has stopped growing',
  },
  ThroughputLow: {
    about: 'a backlog is processed too slowly',
    labels: [],
    resolved: () => 'there is no slow backlog any more',
  },
  TransactionStuck: {
    about: 'messages wait for a transaction of another application that has been open for long',
    labels: ['partition'],
    resolved: ({ partition }, { topic }) =>
      `no message in partition ${partition} of '${topic}' waits for an old transaction any more`,
  },
  PoolSaturated: {
    about: 'workers wait for database connections',
    labels: [],
    resolved: () => 'workers get their database connections in time again',
  },
  ErrorRateHigh: {
    about: 'a large share of the messages is rejected',
    labels: [],
    resolved: () => 'the share of rejected messages is below its limit again',
  },
  DeadLettersGrowing: {
    about: 'many messages are rejected, whatever their share',
    labels: [],
    resolved: () => 'the number of rejected messages is below its limit again',
  },
  KpiStale: {
    about: 'the newest price in the table is old although newer ones should be there',
    labels: ['symbol'],
    resolved: ({ symbol }) =>
      symbol === undefined
        ? 'the table holds fresh prices again, or none are due now'
        : `${symbol} has a fresh price again, or none is due now`,
  },
  PrecisionLost: {
    about: 'prices or volumes have more decimal places than DECIMALS keeps, and rounding changes them too much',
    labels: ['symbol'],
    resolved: ({ symbol }) => `numbers of ${symbol} keep their precision again`,
  },
  NotifierFailing: {
    about: 'a receiver of alerts cannot be reached, or refuses them',
    labels: ['notifier'],
    resolved: ({ notifier }) => `the receiver '${notifier}' gets its alerts again, or none are due`,
  },
  UserRuleFailing: {
    about: 'a rule of market-kpi.yaml cannot be evaluated',
    labels: ['rule'],
    resolved: ({ rule }) => `the rule ${rule} can be evaluated again`,
  },
  Watchdog: {
    about: 'always fires: whoever receives it knows that alerts arrive',
    labels: [],
    resolved: () => 'alerts are no longer evaluated',
  },
}

export function hasTexts(rule: string): rule is keyof typeof ruleTexts {
  return Object.hasOwn(ruleTexts, rule)
}

/** @returns A text to which " after 4 min" can be appended. Rules of market-kpi.yaml share one text. */
export function resolvedText(
  { rule, labels }: { readonly rule: string; readonly labels: Readonly<Record<string, string>> },
  places: Places,
): string {
  return hasTexts(rule) ? ruleTexts[rule].resolved(labels, places) : 'its condition is no longer met'
}
