import type { Thresholds } from '../config/thresholds.ts'
import { anyOpenSinceMs } from '../config/trading-hours.ts'
import { type PastObservation, poolPressurePercent } from './history.ts'
import type { PartitionLag } from './lag.ts'
import { type ReplayClock, replayOf } from './replay.ts'
import { type PipelineSnapshot, type PoolState, type Source, unknown } from './snapshot.ts'
import { liveWorkers } from './workers.ts'

/** A number that views show and rules evaluate, or the reason why it is unknown. */
export type Measure = Source<{ readonly value: number }>

export interface Measures {
  readonly lagMessages: Measure
  /** The lag without messages that wait for an open transaction. */
  readonly readableLagMessages: Measure
  readonly throughputPerSecond: Measure
  /**
   * Seconds since the event time of the newest price in the table. During a replay: how long the oldest unprocessed
   * message has been waiting.
   */
  readonly freshnessSeconds: Measure
  /** The replay that all prices come from; null if prices are live. */
  readonly replay: ReplayClock | null
  /** Seconds since the newest record was written to the topic. */
  readonly feedSilenceSeconds: Measure
  readonly errorRatePercent: Measure
  /** The share of the time in which a query waited for a database connection, in the worker with the highest share. */
  readonly poolWaitPercent: Measure
  /** The longest recent wait for a connection, in milliseconds. */
  readonly poolWaitMs: Measure
  /**
   * The share of connections in use, in the fullest pool. Pools with a single connection are left out, since their
   * share is always 0 or 100 %.
   */
  readonly poolUsedPercent: Measure
  /** The value that the pool's thresholds apply to; see `poolPressurePercent` in history.ts. */
  readonly poolPressurePercent: Measure
  /** The share of space used on the fullest volume that holds Kafka logs. */
  readonly diskPercent: Measure
  readonly market: MarketState
}

/** Whether any market is open, and since when. `sinceMs` is null if a market never closes, and during a replay. */
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

/** Rates are calculated from the observations of this period, if they cover at least half of it. */
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

/** Messages counted between the first and the last observation of the period; undefined with fewer than two of them. */
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

/** During a replay the KPI rows are fresh if they include all messages that the replay has sent. */
function replayFreshness(scene: MeasureScene): Measure {
  const lag = lagMessages(scene, () => 0)
  if (lag.state === 'unknown') return lag
  return known(Math.max(0, ...scene.lags.map(({ waitingSeconds }) => waitingSeconds ?? 0)))
}

/**
 * One day. A wrong clock is ahead by minutes or hours; a timestamp further ahead than this was not set by a clock, and
 * is ignored.
 */
export const farAheadMs = 86_400_000

function feedSilence({ snapshot, observations, nowMs }: MeasureScene): Measure {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return log
  // Producers may set any timestamp. One more than a day ahead does not show when the record was written.
  const times = log.partitions.flatMap(({ newestRecordAtMs: ms }) =>
    ms === null || ms - nowMs > farAheadMs ? [] : [ms],
  )
  const moved = lastGrowthMs(observations)
  if (moved !== undefined) times.push(moved)
  if (times.length === 0) return unknown('the topic holds no record')
  return known(Math.max(0, nowMs - Math.max(...times)) / 1000)
}

/**
 * Producers may set any timestamp, but if a log is longer than in the previous observation, it has grown since then.
 * Returns the time of that previous observation: with the later one, a feed that stopped right after the previous
 * observation would be reported as silent one interval late.
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
  // If our observations cover less time than the workers' own counts, the workers' counts are the better basis.
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
  // During a replay, opening times follow the replay's clock, but silence is measured by ours: the two cannot be
  // combined.
  if (replay) return { isOpen: true, sinceMs: null }
  return { isOpen: true, sinceMs: Number.isFinite(sinceMs) ? sinceMs : null }
}

/** The part of a period without new data that fell into trading hours. No data is expected from a closed market. */
export function openSeconds(seconds: number, openedAtMs: number | null, nowMs: number): number {
  return openedAtMs === null ? seconds : Math.min(seconds, Math.max(0, nowMs - openedAtMs) / 1000)
}
