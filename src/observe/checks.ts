import type { Thresholds } from '../config/thresholds.ts'
import { grouped } from '../runtime/number-text.ts'
import { type CheckKey, checkKeys } from './check-names.ts'
import { type Finding, type RuleName, severities } from './finding.ts'
import type { Measure } from './measures.ts'
import type { Observation } from './observer.ts'
import { poolText } from './pool-text.ts'
import { ruleTable } from './rule-table.ts'
import { percentText, span } from './rules/rule.ts'
import { freshnessText, silenceText } from './time-texts.ts'

/** One line of `health`. */
export interface Check {
  readonly key: CheckKey
  /** The display name. */
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed' | 'unknown'
  /** The problem, or the observed value; empty if there is nothing to add. */
  readonly text: string
  /** Null if it is not known. */
  readonly value: number | string | null
  readonly unit: string
}

/** Converts an observation to the checks of `health`. */
export function checksOf(observation: Observation, thresholds: Thresholds): Check[] {
  const values = observed(observation, thresholds)
  return checkKeys.map((key) => {
    const findings = observation.assessment.findings.filter(({ rule, labels }) => ruleTable[rule].check(labels) === key)
    const { name, text, value, unit } = values[key]
    const [worst] = findings.toSorted(worstFirst)
    if (!worst) return { key, name, status: 'ok', text, value, unit }
    const status = statusOf(worst)
    // A known value is shown, followed by the finding's summary: information, or what only later observations can
    // decide.
    if (status === 'ok' || (status === 'unknown' && value !== null)) {
      return { key, name, status: 'ok', text: text === '' ? worst.summary : `${text}; ${worst.summary}`, value, unit }
    }
    return { key, name, status, text: textOf(worst), value, unit }
  })
}

/** Findings come before rules that could not be evaluated. */
function worstFirst(a: Finding, b: Finding): number {
  if (a.isUnknown !== b.isUnknown) return a.isUnknown ? 1 : -1
  return severities.indexOf(b.severity) - severities.indexOf(a.severity)
}

/**
 * While one of these rules has a finding, the checks that depend on it are unknown. The failed check gives the reason;
 * the others only refer to it with these texts.
 */
const causes: Partial<Record<RuleName, string>> = {
  KafkaUnreachable: 'Kafka cannot be reached',
  PostgresUnreachable: 'PostgreSQL cannot be reached',
  TopicMissing: 'the topic is missing',
}

/** A check that is unknown because of one of `causes` counts as failed. */
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

type Observed = Pick<Check, 'name' | 'text' | 'value' | 'unit'>

function observed({ snapshot, assessment }: Observation, thresholds: Thresholds): Record<CheckKey, Observed> {
  const { measures } = assessment
  const { lag, freshness, errorRate } = thresholds
  return {
    ...observedServers(snapshot),
    'consumer:lag': observedMeasure('Consumer lag', measures.lagMessages, 'messages', (value) =>
      withTarget(
        `${grouped(value)} ${value === 1 ? 'message' : 'messages'}${blockedText(value, measures.readableLagMessages)}`,
        value >= lag.targetMessages,
        `below ${lag.targetMessages}`,
      ),
    ),
    'kafka:disk': observedMeasure(
      'Kafka disk',
      measures.diskPercent,
      'percent',
      (value) => `${percentText(value)} used`,
    ),
    // A full pool is not a problem as long as no query waits; otherwise there is a finding, whose text is shown
    // instead.
    'postgres:pool': observedMeasure(
      'Connection pool',
      measures.poolPressurePercent,
      'percent',
      () => poolText(measures) ?? '',
    ),
    'consumer:throughput': observedMeasure(
      'Throughput',
      measures.throughputPerSecond,
      'messages/s',
      (value) => `${grouped(value)} messages/s`,
    ),
    'consumer:errors': observedMeasure('Error rate', measures.errorRatePercent, 'percent', (value) =>
      withTarget(
        `${percentText(value)} rejected`,
        value >= errorRate.warningPercent,
        `below ${errorRate.warningPercent} %`,
      ),
    ),
    'kpi:freshness': observedMeasure('KPI freshness', measures.freshnessSeconds, 's', (value) =>
      withTarget(freshnessText(measures), value >= freshness.targetSeconds, `below ${span(freshness.targetSeconds)}`),
    ),
    'kpi:precision': {
      name: 'Decimal places',
      text: `${snapshot.asked.decimals} kept`,
      value: snapshot.asked.decimals,
      unit: 'digits',
    },
    'feed:activity': observedMeasure('Feed activity', measures.feedSilenceSeconds, 's', () => silenceText(measures)),
  }
}

function blockedText(lag: number, readable: Measure): string {
  const blocked = readable.state === 'ok' ? lag - readable.value : 0
  return blocked > 0 ? `, of which ${grouped(blocked)} wait for an open transaction` : ''
}

type ServerKey = 'kafka:connectivity' | 'kafka:topic' | 'postgres:connectivity' | 'postgres:schema'

function observedServers({ kafka, postgres, asked }: Observation['snapshot']): Record<ServerKey, Observed> {
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

function observedMeasure(name: string, measure: Measure, unit: string, text: (value: number) => string): Observed {
  if (measure.state === 'unknown') return { name, text: measure.reason, value: null, unit }
  return { name, text: text(measure.value), value: Math.round(measure.value * 100) / 100, unit }
}

/** A value between target and warning is OK; the text names the target. */
function withTarget(text: string, isOff: boolean, target: string): string {
  return isOff ? `${text} (target: ${target})` : text
}
