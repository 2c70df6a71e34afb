import type { Measure } from '../../observe/measures.ts'
import type { Observation } from '../../observe/observer.ts'
import { poolText } from '../../observe/pool-text.ts'
import type { WorkerState } from '../../observe/snapshot.ts'
import type { ShownWorker } from '../../observe/workers.ts'
import { counted, grouped } from '../../runtime/number-text.ts'
import { padTo, widthOf } from '../cell-text.ts'
import { cells, type Line, signed, span } from '../line.ts'
import { ageText, percentText, rateText } from '../number-text.ts'
import type { Sample } from '../samples.ts'
import { sparkline } from '../sparkline.ts'
import { fact, findingLines, type PanelText, stageLevel, unknownFact, worst } from './panel.ts'

interface Curves {
  readonly samples: readonly Sample[]
  readonly width: number
}

export function consumerPanel(observation: Observation, curves: Curves): PanelText {
  const { lagMessages } = observation.assessment.measures
  const level = worst([stageLevel(observation, 'consumer'), lagMessages.state === 'unknown' ? 'unknown' : 'good'])
  return { title: 'Consumer', level, summary: summary(observation, curves), detail: detail(observation, curves) }
}

interface Curve {
  readonly name: string
  readonly text: string
  readonly pick: (sample: Sample) => number | null
}

function curvesOf({ assessment: { measures } }: Observation, samples: readonly Sample[]): Curve[] {
  const rate = samples.at(-1)?.ratePerSecond ?? null
  return [
    {
      name: 'rate',
      text: rate === null ? measured(measures.throughputPerSecond, rateText) : rateText(rate),
      pick: (sample) => sample.ratePerSecond,
    },
    { name: 'lag', text: measured(measures.lagMessages, grouped), pick: (sample) => sample.lagMessages },
    {
      name: 'errors',
      text: measured(measures.errorRatePercent, percentText),
      pick: (sample) => sample.rejectedPerSecond,
    },
    { name: 'waits', text: measured(measures.poolWaitPercent, percentText), pick: (sample) => sample.waitPercent },
  ]
}

function measured(measure: Measure, text: (value: number) => string): string {
  return measure.state === 'ok' ? text(measure.value) : 'unknown'
}

function summary(observation: Observation, { samples, width }: Curves): Line[] {
  const [rate, lag, errors, pool] = curvesOf(observation, samples).map((curve) =>
    curveText(curve, samples, Math.floor((width - 1) / 2)),
  )
  return [[span(` ${rate}${lag}`)], [span(` ${errors}${pool}`)], [span(' '), ...workersText(observation)]]
}

/** `rate    1,234/s ▁▂▃▅▇█` */
function curveText({ name, text, pick }: Curve, samples: readonly Sample[], width: number): string {
  const told = `${name.padEnd(6)} ${padTo(text, 9, 'right')} `
  const room = Math.max(0, width - widthOf(told) - 2)
  return padTo(`${told}${sparkline(samples.map(pick), room)}`, width)
}

function workersText({ snapshot, assessment }: Observation): Line {
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return [signed('unknown', `workers unknown: ${workers.reason}`)]
  const consumers = assessment.workers.filter(({ worker }) => worker.kind === 'consumer')
  const live = consumers.filter(({ isGone }) => !isGone).map(({ worker }) => worker)
  const gone = consumers.filter(({ word }) => word === 'gone').length
  const batches = live.reduce((sum, { batchesWritten }) => sum + batchesWritten, 0)
  const held = live.filter(isHeldBack).length
  return [
    span(`${counted(live.length, 'worker')}, `),
    ...(gone > 0 ? [span(`${gone} gone, `, 'faint')] : []),
    span(`${grouped(batches)} batches, `),
    held > 0 ? signed('warning', `back-pressure in ${held}`) : span('no back-pressure'),
    span(`, ${partitionsText(assessment.partitions)}`),
  ]
}

function partitionsText(partitions: Observation['assessment']['partitions']): string {
  if (partitions.length === 0) return 'partitions unknown'
  const sick = partitions.filter(({ status }) => status !== 'OK')
  if (sick.length === 0) return `${counted(partitions.length, 'partition')} OK`
  return sick.map(({ partition, status }) => `partition ${partition} ${status}`).join(', ')
}

/**
 * Whether the worker reads no messages because of the database: queries wait for a connection, or its state says so.
 */
function isHeldBack({ pool, workerState }: WorkerState): boolean {
  return (pool?.waiting ?? 0) > 0 || /paused|unavailable|away/.test(workerState)
}

const detailCurveWidth = 60

function detail(observation: Observation, { samples, width }: Curves): Line[] {
  const { assessment, snapshot } = observation
  const { workers, positions } = snapshot.postgres
  const curves = curvesOf(observation, samples).map(
    (curve): Line => [span(` ${curveText(curve, samples, Math.min(width - 2, detailCurveWidth + 18))}`)],
  )
  return [
    ...findingLines(assessment.findings, 'consumer'),
    ...curves,
    [],
    positions.state === 'unknown'
      ? unknownFact('Processed', positions.reason)
      : fact('Processed', `${grouped(positions.merged)} merged, ${grouped(positions.rejected)} rejected`),
    fact('Connections', poolText(assessment.measures) ?? 'unknown: no worker reports them'),
    ...assessment.partitions.map(({ partition, status, lagMessages, blockedMessages, waitingSeconds, why }) => {
      const blocked = blockedMessages ? `, ${grouped(blockedMessages)} in or behind an open transaction` : ''
      const waits = waitingSeconds ? `, the oldest waits for ${ageText(waitingSeconds)}` : ''
      const lag = lagMessages === null ? 'lag unknown' : `${grouped(lagMessages)} behind${blocked}${waits}`
      return fact(`Partition ${partition}`, `${status}, ${lag}${why === '' ? '' : `: ${why}`}`)
    }),
    [],
    ...(workers.state === 'unknown' ? [unknownFact('Workers', workers.reason)] : workerLines(assessment.workers)),
  ]
}

const columns = [
  { title: 'Kind', width: 8 },
  { title: 'State', width: 13 },
  { title: 'Seen', width: 6, align: 'right' },
  { title: 'Messages', width: 11, align: 'right' },
  { title: 'Rate', width: 8, align: 'right' },
  { title: 'Batches', width: 8, align: 'right' },
  { title: 'Errors', width: 6, align: 'right' },
  { title: 'Waits', width: 6, align: 'right' },
] as const

function workerLines(workers: readonly ShownWorker[]): Line[] {
  const rows = workers.map(({ worker, isGone, word }): Line => {
    const text = cells(columns, [
      worker.kind,
      word,
      ageText(worker.seenAgoSeconds),
      grouped(worker.messagesProcessed),
      rateText(worker.throughputPerSecond),
      grouped(worker.batchesWritten),
      grouped(worker.errors),
      worker.pool?.waitedPercent == null ? '' : percentText(worker.pool.waitedPercent),
    ])
    return [span(text, isGone ? 'faint' : 'plain'), span(` ${worker.workerId}`, 'faint')]
  })
  const titles = columns.map(({ title }) => title)
  return [[span(`${cells(columns, titles)} Worker`, 'heading')], ...rows]
}
