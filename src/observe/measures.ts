import type { Thresholds } from '../config/thresholds.ts'
import { anyOpenSinceMs } from '../config/trading-hours.ts'
import { type PastObservation, poolPressurePercent } from './history.ts'
import type { PartitionLag } from './lag.ts'
import { type ReplayClock, replayOf } from './replay.ts'
import { type PipelineSnapshot, type PoolState, type Source, unknown } from './snapshot.ts'
import { liveWorkers } from './workers.ts'

/** A number that views show and rules judge, or why there is none. */
export type Measure = Source<{ readonly value: number }>

export interface Measures {
  readonly lagMessages: Measure
  /** The same without what waits for an open transaction. */
  readonly readableLagMessages: Measure
  readonly throughputPerSecond: Measure
  /** Since the event of the newest price in the rows; of a replay, how long its oldest price that is in no row has waited. */
  readonly freshnessSeconds: Measure
  /** The replay that all prices come from; null where they are of now. */
  readonly replay: ReplayClock | null
  /** Since the newest record came into the topic. */
  readonly feedSilenceSeconds: Measure
  readonly errorRatePercent: Measure
  /** The share of the time in which a query waited for a database connection, of the worker that waits most. */
  readonly poolWaitPercent: Measure
  /** The longest such wait of the last seconds, in milliseconds. */
  readonly poolWaitMs: Measure
  /** Connections in use of the fullest pool with more than one; a single one is always in use or not. */
  readonly poolUsedPercent: Measure
  /** What the limits of the pool are for: the share of waiting, or of use while somebody waits in a pool with more than one. */
  readonly poolPressurePercent: Measure
  /** Of the fullest volume with a log of Kafka's. */
  readonly diskPercent: Measure
  readonly market: MarketState
}

/** Whether any market is open, and since when; null where one never closes. */
export type MarketState = { readonly isOpen: true; readonly sinceMs: number | null } | { readonly isOpen: false }

export interface MeasureScene {
  readonly snapshot: PipelineSnapshot
  readonly observations: readonly PastObservation[]
  readonly thresholds: Thresholds
  readonly nowMs: number
  readonly lags: readonly PartitionLag[]
}

export function measure(scene: MeasureScene): Measures {
  const replay = replayOf(scene.snapshot, scene.thresholds) ?? null
  return {
    lagMessages: lagMessages(scene, () => 0),
    readableLagMessages: lagMessages(scene, ({ blockedMessages }) => blockedMessages ?? 0),
    throughputPerSecond: throughput(scene),
    freshnessSeconds: replay ? replayFreshness(scene) : freshness(scene),
    replay,
    feedSilenceSeconds: feedSilence(scene),
    errorRatePercent: errorRate(scene),
    ...poolMeasures(scene),
    diskPercent: disk(scene),
    market: market(scene, replay),
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

function throughput({ snapshot, observations, thresholds }: MeasureScene): Measure {
  const counted = countedOver(observations, rateSpanMs)
  if (counted && counted.seconds * 2000 >= rateSpanMs) {
    return known((counted.merged + counted.rejected) / counted.seconds)
  }
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return workers
  const live = liveWorkers(workers.workers, 'consumer', thresholds)
  if (live.length === 0) return unknown('no worker reports, and one observation is not enough')
  return known(live.reduce((sum, { throughputPerSecond }) => sum + throughputPerSecond, 0))
}

/** What the positions counted over the last looks; undefined with fewer than two. */
export function countedOver(
  observations: readonly PastObservation[],
  spanMs: number,
): { readonly seconds: number; readonly merged: number; readonly rejected: number } | undefined {
  const last = observations.at(-1)
  if (!last?.counts) return undefined
  const first = observations.find(({ atMs, counts }) => counts && last.atMs - atMs <= spanMs)
  if (!first?.counts || first === last) return undefined
  return {
    seconds: (last.atMs - first.atMs) / 1000,
    merged: last.counts.merged - first.counts.merged,
    rejected: last.counts.rejected - first.counts.rejected,
  }
}

function freshness({ snapshot, nowMs }: MeasureScene): Measure {
  const { kpi } = snapshot.postgres
  if (kpi.state === 'unknown') return kpi
  if (kpi.newestEventAtMs === null) return unknown('there are no rows yet')
  return known(Math.max(0, nowMs - kpi.newestEventAtMs) / 1000)
}

/** By the replay's own clock the rows are fresh when they hold all that it has sent. */
function replayFreshness(scene: MeasureScene): Measure {
  const lag = lagMessages(scene, () => 0)
  if (lag.state === 'unknown') return lag
  return known(Math.max(0, ...scene.lags.map(({ waitingSeconds }) => waitingSeconds ?? 0)))
}

/** A clock is ahead of ours by minutes or hours. */
export const farAheadMs = 86_400_000

function feedSilence({ snapshot, observations, nowMs }: MeasureScene): Measure {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return log
  // A producer may write any time; one of another day says nothing about when the record came.
  const times = log.partitions.flatMap(({ newestRecordAtMs: ms }) =>
    ms === null || ms - nowMs > farAheadMs ? [] : [ms],
  )
  const moved = lastGrowthMs(observations)
  if (moved !== undefined) times.push(moved)
  if (times.length === 0) return unknown('the topic holds no record')
  return known(Math.max(0, nowMs - Math.max(...times)) / 1000)
}

/**
 * Producers' timestamps may be of any time, but that a log is longer than at the look before was seen: it has grown since
 * then. Taking this look's time instead would call a feed that stopped right after the one before silent an interval late.
 */
function lastGrowthMs(observations: readonly PastObservation[]): number | undefined {
  const index = observations.findLastIndex(({ partitions }, at) => {
    const before = observations[at - 1]?.partitions
    return before && [...partitions].some(([p, { endOffset }]) => endOffset > (before.get(p)?.endOffset ?? endOffset))
  })
  return observations[index - 1]?.atMs
}

function errorRate({ snapshot, observations, thresholds }: MeasureScene): Measure {
  const counted = countedOver(observations, snapshot.asked.recentSeconds * 1000)
  const recent = recentCounts(snapshot, thresholds)
  // Looks over less than the whole time say less than the workers, who were there before.
  const best = recent && recent.seconds > (counted?.seconds ?? 0) ? recent : counted
  if (best && best.merged + best.rejected > 0) return known((best.rejected / (best.merged + best.rejected)) * 100)
  const { deadLetters } = snapshot.postgres
  if (deadLetters.state === 'unknown') return deadLetters
  if (Object.keys(deadLetters.recentByReason).length === 0) return known(0)
  return unknown('messages were rejected, no worker reports how many, and one observation is not enough')
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

type PoolMeasures = Pick<Measures, 'poolWaitPercent' | 'poolWaitMs' | 'poolUsedPercent' | 'poolPressurePercent'>

function poolMeasures({ snapshot, thresholds }: MeasureScene): PoolMeasures {
  const { workers } = snapshot.postgres
  const pools =
    workers.state === 'ok' ? liveWorkers(workers.workers, 'consumer', thresholds).flatMap((w) => w.pool ?? []) : []
  const none = workers.state === 'unknown' ? workers : unknown('no worker reports its connections')
  const worst = (of: (pool: PoolState) => number | null, otherwise = none): Measure => {
    const values = pools.flatMap((pool) => of(pool) ?? [])
    return values.length > 0 ? known(Math.max(...values)) : otherwise
  }
  const single = unknown('no worker has more than one connection')
  return {
    poolWaitPercent: worst(({ waitedPercent }) => waitedPercent),
    poolWaitMs: worst(({ acquireMs }) => acquireMs),
    poolUsedPercent: worst(
      ({ size, inUse }) => (size > 1 ? (inUse / size) * 100 : null),
      pools.length > 0 ? single : none,
    ),
    poolPressurePercent: worst(poolPressurePercent),
  }
}

function disk({ snapshot }: MeasureScene): Measure {
  const { disk: state } = snapshot.kafka
  if (state.state === 'unknown') return state
  const used = state.volumes.flatMap(({ totalBytes, usableBytes }) =>
    totalBytes && usableBytes !== null ? [(1 - usableBytes / totalBytes) * 100] : [],
  )
  if (used.length === 0) return unknown('the brokers do not report the size of their volumes')
  return known(Math.max(...used))
}

function market({ snapshot, thresholds, nowMs }: MeasureScene, replay: ReplayClock | null): MarketState {
  const { symbols } = snapshot.postgres
  const names = symbols.state === 'ok' ? symbols.symbols.map(({ symbol }) => symbol) : []
  const sinceMs = anyOpenSinceMs(thresholds.tradingHours, names, replay?.eventAtMs ?? nowMs)
  if (sinceMs === undefined) return { isOpen: false }
  // How long it has been open by the replay's clock says nothing about silences, which are of ours.
  if (replay) return { isOpen: true, sinceMs: null }
  return { isOpen: true, sinceMs: Number.isFinite(sinceMs) ? sinceMs : null }
}

/** So much of a time without news as fell into trading hours: nobody misses what a closed market does not say. */
export function openSeconds(seconds: number, openedAtMs: number | null, nowMs: number): number {
  return openedAtMs === null ? seconds : Math.min(seconds, Math.max(0, nowMs - openedAtMs) / 1000)
}
