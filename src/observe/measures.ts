import type { Thresholds } from '../config/thresholds.ts'
import { anyOpenSinceMs } from '../config/trading-hours.ts'
import { type Look, waitedPoolPercent } from './history.ts'
import type { PartitionLag } from './lag.ts'
import { type PipelineSnapshot, type Source, unknown, type WorkerState } from './snapshot.ts'

/** A number that views show and rules judge, or why there is none. */
export type Measure = Source<{ readonly value: number }>

export interface Measures {
  readonly lagMessages: Measure
  /** The same without what waits for an open transaction. */
  readonly readableLagMessages: Measure
  readonly throughputPerSecond: Measure
  /** Since the event of the newest price in the rows. */
  readonly freshnessSeconds: Measure
  /** Since the newest record came into the topic. */
  readonly feedSilenceSeconds: Measure
  readonly errorRatePercent: Measure
  /** Of the fullest pool of a worker, whether somebody waits for it or not. */
  readonly poolPercent: Measure
  /** Of the fullest volume with a log of Kafka's. */
  readonly diskPercent: Measure
  readonly market: MarketState
}

/** Whether any market is open, and since when; null where one never closes. */
export type MarketState = { readonly isOpen: true; readonly sinceMs: number | null } | { readonly isOpen: false }

export interface MeasureScene {
  readonly snapshot: PipelineSnapshot
  readonly looks: readonly Look[]
  readonly thresholds: Thresholds
  readonly nowMs: number
  readonly lags: readonly PartitionLag[]
}

export function measure(scene: MeasureScene): Measures {
  return {
    lagMessages: lagMessages(scene, () => 0),
    readableLagMessages: lagMessages(scene, ({ blockedMessages }) => blockedMessages ?? 0),
    throughputPerSecond: throughput(scene),
    freshnessSeconds: freshness(scene),
    feedSilenceSeconds: feedSilence(scene),
    errorRatePercent: errorRate(scene),
    poolPercent: pool(scene),
    diskPercent: disk(scene),
    market: market(scene),
  }
}

function known(value: number): Measure {
  return { state: 'ok', value }
}

function lagMessages({ snapshot, lags }: MeasureScene, leftOut: (lag: PartitionLag) => number): Measure {
  const { topic } = snapshot.kafka
  if (topic.state === 'unknown') return topic
  if (!topic.isThere) return unknown(`the topic '${snapshot.asked.topic}' does not exist`)
  let sum = 0
  for (const lagOf of lags) {
    const { partition, lagMessages: lag, why } = lagOf
    if (lag === null) return unknown(lags.every((other) => other.why === why) ? why : `partition ${partition}: ${why}`)
    sum += lag - leftOut(lagOf)
  }
  return known(sum)
}

/** Rates are taken over this long where there are looks, and over half of it at least. */
const rateSpanMs = 20_000

function throughput({ snapshot, looks, thresholds }: MeasureScene): Measure {
  const counted = countedOver(looks, rateSpanMs)
  if (counted && counted.seconds * 2000 >= rateSpanMs) {
    return known((counted.merged + counted.rejected) / counted.seconds)
  }
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return workers
  const live = liveWorkers(workers.workers, 'consumer', thresholds)
  if (live.length === 0) return unknown('no worker tells, and one look is not enough')
  return known(live.reduce((sum, { throughputPerSecond }) => sum + throughputPerSecond, 0))
}

/** What the positions counted over the last looks; undefined with fewer than two. */
export function countedOver(
  looks: readonly Look[],
  spanMs: number,
): { readonly seconds: number; readonly merged: number; readonly rejected: number } | undefined {
  const last = looks.at(-1)
  if (!last?.counts) return undefined
  const first = looks.find(({ atMs, counts }) => counts && last.atMs - atMs <= spanMs)
  if (!first?.counts || first === last) return undefined
  return {
    seconds: (last.atMs - first.atMs) / 1000,
    merged: last.counts.merged - first.counts.merged,
    rejected: last.counts.rejected - first.counts.rejected,
  }
}

export function liveWorkers(
  workers: readonly WorkerState[],
  kind: WorkerState['kind'],
  { workerDownSeconds }: Thresholds,
): WorkerState[] {
  return workers.filter((w) => w.kind === kind && w.stoppedAtMs === null && w.seenAgoSeconds <= workerDownSeconds)
}

function freshness({ snapshot, nowMs }: MeasureScene): Measure {
  const { kpi } = snapshot.postgres
  if (kpi.state === 'unknown') return kpi
  if (kpi.newestEventAtMs === null) return unknown('there are no rows yet')
  return known(Math.max(0, nowMs - kpi.newestEventAtMs) / 1000)
}

function feedSilence({ snapshot, looks, nowMs }: MeasureScene): Measure {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return log
  const times = log.partitions.flatMap((p) => (p.newestRecordAtMs === null ? [] : [p.newestRecordAtMs]))
  const moved = lastGrowthMs(looks)
  if (moved !== undefined) times.push(moved)
  if (times.length === 0) return unknown('the topic holds no record')
  return known(Math.max(0, nowMs - Math.max(...times)) / 1000)
}

/**
 * Producers' timestamps may be of any time, but that a log is longer than at the look before was seen: it has grown since
 * then. Taking this look's time instead would call a feed that stopped right after the one before silent an interval late.
 */
function lastGrowthMs(looks: readonly Look[]): number | undefined {
  const index = looks.findLastIndex(({ partitions }, at) => {
    const before = looks[at - 1]?.partitions
    return before && [...partitions].some(([p, { endOffset }]) => endOffset > (before.get(p)?.endOffset ?? endOffset))
  })
  return looks[index - 1]?.atMs
}

function errorRate({ snapshot, looks, thresholds }: MeasureScene): Measure {
  const counted = countedOver(looks, snapshot.asked.recentSeconds * 1000)
  const recent = recentCounts(snapshot, thresholds)
  // Looks over less than the whole time say less than the workers, who were there before.
  const best = recent && recent.seconds > (counted?.seconds ?? 0) ? recent : counted
  if (best && best.merged + best.rejected > 0) return known((best.rejected / (best.merged + best.rejected)) * 100)
  const { deadLetters } = snapshot.postgres
  if (deadLetters.state === 'unknown') return deadLetters
  if (Object.keys(deadLetters.recentByReason).length === 0) return known(0)
  return unknown('messages were rejected, and no worker tells of how many; one look is not enough')
}

function recentCounts(
  { postgres }: PipelineSnapshot,
  thresholds: Thresholds,
): { seconds: number; merged: number; rejected: number } | undefined {
  if (postgres.workers.state === 'unknown') return undefined
  const told = liveWorkers(postgres.workers.workers, 'consumer', thresholds).flatMap(({ recent }) => recent ?? [])
  if (told.length === 0) return undefined
  const rejected = told.reduce((sum, recent) => sum + recent.rejected, 0)
  const processed = told.reduce((sum, recent) => sum + recent.processed, 0)
  return { seconds: Math.max(...told.map(({ seconds }) => seconds)), merged: processed - rejected, rejected }
}

function pool({ snapshot, thresholds }: MeasureScene): Measure {
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return workers
  const live = liveWorkers(workers.workers, 'consumer', thresholds)
  const used = live.flatMap((w) => (w.pool && w.pool.size > 0 ? [(w.pool.inUse / w.pool.size) * 100] : []))
  if (used.length === 0) return unknown('no worker tells')
  return known(Math.max(...used, waitedPoolPercent(live) ?? 0))
}

function disk({ snapshot }: MeasureScene): Measure {
  const { disk: state } = snapshot.kafka
  if (state.state === 'unknown') return state
  const used = state.volumes.flatMap(({ totalBytes, usableBytes }) =>
    totalBytes && usableBytes !== null ? [(1 - usableBytes / totalBytes) * 100] : [],
  )
  if (used.length === 0) return unknown('the brokers do not tell the size of their volumes')
  return known(Math.max(...used))
}

function market({ snapshot, thresholds, nowMs }: MeasureScene): MarketState {
  const { symbols } = snapshot.postgres
  const names = symbols.state === 'ok' ? symbols.symbols.map(({ symbol }) => symbol) : []
  const sinceMs = anyOpenSinceMs(thresholds.tradingHours, names, nowMs)
  if (sinceMs === undefined) return { isOpen: false }
  return { isOpen: true, sinceMs: Number.isFinite(sinceMs) ? sinceMs : null }
}

/** So much of a time without news as fell into trading hours: nobody misses what a closed market does not say. */
export function openSeconds(seconds: number, openedAtMs: number | null, nowMs: number): number {
  return openedAtMs === null ? seconds : Math.min(seconds, Math.max(0, nowMs - openedAtMs) / 1000)
}
