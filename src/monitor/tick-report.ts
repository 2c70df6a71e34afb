import type { Measure } from '../observe/measures.ts'
import type { Observation } from '../observe/observer.ts'
import { grouped } from '../runtime/number-text.ts'
import { clean } from './cell-text.ts'
import { rateText } from './number-text.ts'
import { firstFinding } from './panels/header.ts'
import type { MonitorData } from './refresher.ts'

/** An observation as one line, for logs and plain terminals: time, verdict, rate, lag, rows, first finding. */
export function tickLine({ snapshot, assessment }: Observation): string {
  const { verdict, measures } = assessment
  const { kpi } = snapshot.postgres
  const rows = kpi.state === 'ok' ? `${kpi.isEstimate ? '~' : ''}${grouped(kpi.rows)}` : 'unknown'
  const figures = `rate ${told(measures.throughputPerSecond, rateText)}  lag ${told(measures.lagMessages, grouped)}`
  const time = new Date(snapshot.takenAtMs).toISOString()
  return `${time} ${verdict.toUpperCase()}  ${figures}  rows ${rows}  ${clean(firstFinding(assessment))}\n`
}

function told(measure: Measure, text: (value: number) => string): string {
  return measure.state === 'ok' ? text(measure.value) : 'unknown'
}

/** Everything observed, as one line of JSON. An unknown value is an object with `state: "unknown"` and the reason. */
export function tickJson({ observation, statistics, alerts }: TickData): string {
  const { snapshot, assessment } = observation
  const { verdict, firstBrokenStage } = assessment
  const time = new Date(snapshot.takenAtMs).toISOString()
  return `${JSON.stringify({ time, verdict, firstBrokenStage, snapshot, assessment, statistics, alerts })}\n`
}

export type TickData = { readonly observation: Observation } & Pick<MonitorData, 'statistics' | 'alerts'>
