import { grouped } from '../runtime/number-text.ts'
// The items that `alerts check` lists, each with its findings or with a summary of why it is healthy.

import type { Thresholds } from '../config/thresholds.ts'
import { type ItemName, itemNames } from './check-names.ts'
import { type Finding, isRuleName } from './finding.ts'
import type { Measure } from './measures.ts'
import type { Observation } from './observer.ts'
import { poolText } from './pool-text.ts'
import { ruleTable } from './rule-table.ts'
import { percentText } from './rules/rule.ts'
import { freshnessText, silenceText } from './time-texts.ts'
import { liveWorkers } from './workers.ts'

/** The item that a finding is about; undefined for rules that do not check the pipeline. */
export function itemOf({ rule, labels }: { readonly rule: string; readonly labels: Finding['labels'] }) {
  return isRuleName(rule) ? ruleTable[rule].item(labels) : undefined
}

export interface HealthyItem {
  readonly name: ItemName
  /** `broker is reachable` */
  readonly summary: string
}

/** The items that were checked and are healthy. Those that could not be evaluated are left out. */
export function healthyItems(observation: Observation, thresholds: Thresholds): HealthyItem[] {
  const { findings } = observation.assessment
  const observed = observedItems(observation, thresholds)
  return itemNames.flatMap((name) => {
    const summary = observed[name]
    const hasFinding = findings.some(
      (finding) => itemOf(finding) === name && (finding.severity !== 'info' || !finding.isUnknown),
    )
    return summary === undefined || hasFinding ? [] : [{ name, summary }]
  })
}

/** A summary of each item's state; undefined if it is not known. */
function observedItems(observation: Observation, thresholds: Thresholds): Record<ItemName, string | undefined> {
  const { snapshot, assessment } = observation
  const { measures } = assessment
  const { cluster, topic, log } = snapshot.kafka
  const { server } = snapshot.postgres
  return {
    Kafka: cluster.state === 'ok' ? 'broker is reachable' : undefined,
    'Kafka topic':
      topic.state === 'ok' && topic.isThere
        ? `'${snapshot.asked.topic}' has ${counted(topic.partitions.length, 'partition')}, each with a leader`
        : undefined,
    'Kafka disk': measured(measures.diskPercent, (value) => `${percentText(value)} used`),
    PostgreSQL: server.state === 'ok' ? 'database is reachable' : undefined,
    'Database schema': schemaText(observation),
    'Database connections': poolText(measures),
    'Data freshness': measured(measures.freshnessSeconds, () => freshnessText(measures)),
    'Consumer lag': measured(measures.lagMessages, (value) => counted(value, 'message')),
    Throughput: measured(measures.throughputPerSecond, (value) => `${grouped(value)} messages/s`),
    'Error rate': measured(measures.errorRatePercent, (value) => `${percentText(value)} of the messages rejected`),
    'Decimal places': decimalsText(observation, thresholds),
    Feed: measured(measures.feedSilenceSeconds, () => silenceText(measures)),
    Workers: workersText(observation, thresholds),
    Clocks: server.state === 'ok' && log.state === 'ok' ? 'the servers agree with this machine' : undefined,
  }
}

function schemaText({ snapshot: { postgres } }: Observation): string | undefined {
  if (postgres.schema.state === 'unknown') return undefined
  const { kpi } = postgres
  if (kpi.state === 'unknown') return 'fits this version'
  return `fits this version, ${kpi.isEstimate ? 'about ' : ''}${counted(kpi.rows, 'KPI row')}`
}

function workersText({ snapshot }: Observation, thresholds: Thresholds): string | undefined {
  const { workers } = snapshot.postgres
  const { group } = snapshot.kafka
  if (workers.state === 'unknown') return undefined
  const live = liveWorkers(workers.workers, 'consumer', thresholds).length
  if (live > 0) return `${counted(live, 'worker')} running`
  return group.state === 'ok' ? `${counted(group.members.length, 'member')} in the consumer group` : undefined
}

/** Only running workers detect lost precision, so without one this is unknown. */
function decimalsText({ snapshot }: Observation, thresholds: Thresholds): string | undefined {
  const { workers } = snapshot.postgres
  const isKnown = workers.state === 'ok' && liveWorkers(workers.workers, 'consumer', thresholds).length > 0
  return isKnown ? `${snapshot.asked.decimals} are enough for every number` : undefined
}

function measured(measure: Measure, text: (value: number) => string): string | undefined {
  return measure.state === 'ok' ? text(measure.value) : undefined
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}
