import type { Thresholds } from '../config/thresholds.ts'
import { type Finding, type RuleName, severities } from './finding.ts'
import type { Measure } from './measures.ts'
import type { Observation } from './observer.ts'
import { poolText } from './pool-text.ts'
import { grouped, percentText, span } from './rules/rule.ts'
import { freshnessText, silenceText } from './time-texts.ts'

/** The checks of `health`, in the order in which it prints them; the first five are the ones every reader knows. */
export const checkKeys = [
  'kafka:connectivity',
  'kafka:topic',
  'postgres:connectivity',
  'postgres:schema',
  'consumer:lag',
  'kafka:disk',
  'postgres:pool',
  'consumer:throughput',
  'consumer:errors',
  'kpi:freshness',
  'kpi:precision',
  'feed:activity',
] as const
export type CheckKey = (typeof checkKeys)[number]

/** One line of `health`. */
export interface Check {
  readonly key: CheckKey
  /** As people read it. */
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed' | 'unknown'
  /** Why it is not well, or what was seen; empty where there is nothing to add. */
  readonly text: string
  /** Null where it is not known. */
  readonly value: number | string | null
  readonly unit: string
}

const keyOf: Readonly<Record<RuleName, (finding: Finding) => CheckKey>> = {
  KafkaUnreachable: () => 'kafka:connectivity',
  TopicMissing: () => 'kafka:topic',
  PartitionsOffline: () => 'kafka:topic',
  KafkaDiskHigh: () => 'kafka:disk',
  PostgresUnreachable: () => 'postgres:connectivity',
  SchemaInvalid: () => 'postgres:schema',
  ClockSkew: ({ labels }) =>
    labels.clock === 'database'
      ? 'postgres:connectivity'
      : labels.clock === 'broker'
        ? 'kafka:connectivity'
        : 'feed:activity',
  FeedSilent: () => 'feed:activity',
  WorkerDown: ({ labels }) => (labels.kind === 'feed' ? 'feed:activity' : 'consumer:throughput'),
  NoConsumer: () => 'consumer:lag',
  ConsumerStalled: () => 'consumer:lag',
  ConsumerLagHigh: () => 'consumer:lag',
  ConsumerLagGrowing: () => 'consumer:lag',
  ThroughputLow: () => 'consumer:throughput',
  TransactionStuck: () => 'consumer:lag',
  PoolSaturated: () => 'postgres:pool',
  ErrorRateHigh: () => 'consumer:errors',
  DeadLettersGrowing: () => 'consumer:errors',
  KpiStale: () => 'kpi:freshness',
  PrecisionLost: () => 'kpi:precision',
}

/** An observation as the checks of `health`. */
export function checksOf(observation: Observation, thresholds: Thresholds): Check[] {
  const seen = observed(observation, thresholds)
  return checkKeys.map((key) => {
    const findings = observation.assessment.findings.filter((finding) => keyOf[finding.rule](finding) === key)
    const { name, text, value, unit } = seen[key]
    const [worst] = findings.toSorted(worstFirst)
    if (!worst) return { key, name, status: 'ok', text, value, unit }
    const status = statusOf(worst)
    // What is known is told, and what only time will tell beside it.
    if (status === 'ok' || (status === 'unknown' && value !== null)) {
      return { key, name, status: 'ok', text: text === '' ? worst.summary : `${text}; ${worst.summary}`, value, unit }
    }
    return { key, name, status, text: textOf(worst), value, unit }
  })
}

/** What is known comes before what is not. */
function worstFirst(a: Finding, b: Finding): number {
  if (a.isUnknown !== b.isUnknown) return a.isUnknown ? 1 : -1
  return severities.indexOf(b.severity) - severities.indexOf(a.severity)
}

/** Of what they break nothing can be known. Said once, in the check that failed; the others need not repeat why. */
const causes: Partial<Record<RuleName, string>> = {
  KafkaUnreachable: 'Kafka cannot be reached',
  PostgresUnreachable: 'PostgreSQL cannot be reached',
  TopicMissing: 'the topic is missing',
}

/** What cannot be known because something else is broken is as good as broken. */
function statusOf({ isUnknown, inhibitedBy, severity }: Finding): Check['status'] {
  if (isUnknown && inhibitedBy && causes[inhibitedBy]) return 'failed'
  if (severity === 'info') return isUnknown ? 'unknown' : 'ok'
  return severity === 'critical' ? 'failed' : 'warning'
}

function textOf({ isUnknown, inhibitedBy, severity, summary }: Finding): string {
  const cause = inhibitedBy && causes[inhibitedBy]
  if (isUnknown && cause) return `unknown, since ${cause}`
  return isUnknown && severity !== 'info' ? `unknown: ${summary}` : summary
}

type Seen = Pick<Check, 'name' | 'text' | 'value' | 'unit'>

function observed({ snapshot, assessment }: Observation, thresholds: Thresholds): Record<CheckKey, Seen> {
  const { measures } = assessment
  const { lag, freshness, errorRate } = thresholds
  return {
    ...observedServers(snapshot),
    'consumer:lag': seenMeasure('Consumer lag', measures.lagMessages, 'messages', (value) =>
      withTarget(
        `${grouped(value)} ${value === 1 ? 'message' : 'messages'}${blockedText(value, measures.readableLagMessages)}`,
        value >= lag.targetMessages,
        `below ${lag.targetMessages}`,
      ),
    ),
    'kafka:disk': seenMeasure('Kafka disk', measures.diskPercent, 'percent', (value) => `${percentText(value)} used`),
    // A full pool is well used as long as no query waits; otherwise there is a finding, and its text instead.
    'postgres:pool': seenMeasure(
      'Connection pool',
      measures.poolPressurePercent,
      'percent',
      () => poolText(measures) ?? '',
    ),
    'consumer:throughput': seenMeasure(
      'Throughput',
      measures.throughputPerSecond,
      'messages/s',
      (value) => `${grouped(value)} messages/s`,
    ),
    'consumer:errors': seenMeasure('Error rate', measures.errorRatePercent, 'percent', (value) =>
      withTarget(
        `${percentText(value)} rejected`,
        value >= errorRate.warningPercent,
        `below ${errorRate.warningPercent} %`,
      ),
    ),
    'kpi:freshness': seenMeasure('KPI freshness', measures.freshnessSeconds, 's', (value) =>
      withTarget(freshnessText(measures), value >= freshness.targetSeconds, `below ${span(freshness.targetSeconds)}`),
    ),
    'kpi:precision': {
      name: 'Decimal places',
      text: `${snapshot.asked.decimals} kept`,
      value: snapshot.asked.decimals,
      unit: 'digits',
    },
    'feed:activity': seenMeasure('Feed activity', measures.feedSilenceSeconds, 's', () => silenceText(measures)),
  }
}

function blockedText(lag: number, readable: Measure): string {
  const blocked = readable.state === 'ok' ? lag - readable.value : 0
  return blocked > 0 ? `, of which ${grouped(blocked)} wait for an open transaction` : ''
}

type ServerKey = 'kafka:connectivity' | 'kafka:topic' | 'postgres:connectivity' | 'postgres:schema'

function observedServers({ kafka, postgres, asked }: Observation['snapshot']): Record<ServerKey, Seen> {
  const { cluster, topic } = kafka
  const { server, kpi } = postgres
  const latency = (source: typeof cluster | typeof server) =>
    source.state === 'ok' ? Math.round(source.latencyMs * 10) / 10 : null
  const partitions = topic.state === 'ok' && topic.isThere ? topic.partitions.length : null
  const rows = kpi.state === 'ok' ? kpi.rows : null
  const about = kpi.state === 'ok' && kpi.isEstimate ? 'about ' : ''
  return {
    'kafka:connectivity': { name: 'Kafka connectivity', text: '', value: latency(cluster), unit: 'ms' },
    'kafka:topic': {
      name: `Kafka topic '${asked.topic}'`,
      text: partitions === null ? '' : `${partitions} partition${partitions === 1 ? '' : 's'}`,
      value: partitions,
      unit: 'partitions',
    },
    'postgres:connectivity': { name: 'PostgreSQL connectivity', text: '', value: latency(server), unit: 'ms' },
    'postgres:schema': {
      name: 'KPI table',
      text: rows === null ? '' : `${about}${grouped(rows)} row${rows === 1 ? '' : 's'}`,
      value: rows,
      unit: 'rows',
    },
  }
}

function seenMeasure(name: string, measure: Measure, unit: string, text: (value: number) => string): Seen {
  if (measure.state === 'unknown') return { name, text: measure.reason, value: null, unit }
  return { name, text: text(measure.value), value: Math.round(measure.value * 100) / 100, unit }
}

/** Between target and warning all is well, and said to be off the target. */
function withTarget(text: string, isOff: boolean, target: string): string {
  return isOff ? `${text} (target: ${target})` : text
}
