import type { Thresholds } from '../../config/thresholds.ts'
import { grouped } from '../../runtime/number-text.ts'
import { openSeconds } from '../measures.ts'
import { lastFeed } from '../replay.ts'
import type { PipelineSnapshot, WorkerState } from '../snapshot.ts'
import { liveWorkers } from '../workers.ts'
import { beyond, cannotJudge, type Found, found, type Rule, type RuleScene, span } from './rule.ts'

/** R7: the clock of the database, of the brokers or of the price source differs from this machine's. */
export const clockSkew: Rule = (scene) => {
  const { snapshot, nowMs } = scene
  const { server, kpi } = snapshot.postgres
  const { log } = snapshot.kafka
  const findings: Found[] = []
  if (server.state === 'ok') {
    const apart = Math.max(0, Math.abs(server.clockAheadMs) - server.latencyMs) / 1000
    const direction = server.clockAheadMs > 0 ? 'ahead of' : 'behind'
    findings.push(...skewed(scene, 'database', apart, `the database's clock is ${span(apart)} ${direction} this one`))
  }
  if (log.state === 'ok' && log.isAppendTime) {
    const newest = Math.max(...log.partitions.map((p) => p.newestRecordAtMs ?? 0), 0)
    const ahead = Math.max(0, newest - nowMs) / 1000
    findings.push(...skewed(scene, 'broker', ahead, `a broker's clock is ${span(ahead)} ahead of this one`))
  }
  if (kpi.state === 'ok' && kpi.newestEventAtMs !== null) {
    const ahead = Math.max(0, kpi.newestEventAtMs - nowMs) / 1000
    findings.push(...skewed(scene, 'feed', ahead, `the newest price has a time that is ${span(ahead)} ahead of now`))
  }
  return [...findings, ...wrongUnit(scene), ...rejectedFuture(scene)]
}

/**
 * Units that producers mistake for milliseconds. The unit is recognised because the newest timestamp is plausible in
 * it.
 */
export const wrongUnits = [
  { unit: 'seconds', msEach: 1000, effect: 'prices are rejected as future_timestamp', severity: 'critical' },
  { unit: 'microseconds', msEach: 1e-3, effect: 'prices from the future are not recognised', severity: 'warning' },
  { unit: 'nanoseconds', msEach: 1e-6, effect: 'prices from the future are not recognised', severity: 'warning' },
] as const
/** Plausible are times from 2000 until a year from now. In a wrong unit a timestamp is far outside of this range. */
const year2000Ms = Date.UTC(2000, 0, 1)
const yearMs = 365 * 86_400_000

/**
 * In a topic with message.timestamp.type=CreateTime the producer sets the records' timestamps, possibly in a wrong
 * unit.
 *
 * @returns The unit, and the newest timestamp in it; undefined if it is milliseconds, as required.
 */
export function wrongRecordUnit(
  { kafka: { log } }: PipelineSnapshot,
  nowMs: number,
): ((typeof wrongUnits)[number] & { readonly newest: number }) | undefined {
  if (log.state === 'unknown' || log.isAppendTime !== false) return undefined
  const newest = Math.max(...log.partitions.map((p) => p.newestRecordAtMs ?? 0), 0)
  const isTime = (ms: number) => ms >= year2000Ms && ms <= nowMs + yearMs
  const wrong = isTime(newest) ? undefined : wrongUnits.find(({ msEach }) => isTime(newest * msEach))
  return wrong && { ...wrong, newest }
}

function wrongUnit({ snapshot, nowMs }: RuleScene): Found[] {
  const wrong = wrongRecordUnit(snapshot, nowMs)
  if (!wrong) return []
  const summary = `the producer writes Kafka's record timestamps in ${wrong.unit} instead of milliseconds (newest: ${wrong.newest}), so ${wrong.effect}: correct the producer, or set message.timestamp.type=LogAppendTime`
  return [found('ClockSkew', wrong.severity, summary, { labels: { clock: 'producer' } })]
}

const stageOfClock = { database: 'postgres', broker: 'kafka', feed: 'feed' } as const

function skewed(
  { thresholds }: RuleScene,
  clock: keyof typeof stageOfClock,
  seconds: number,
  summary: string,
): Found[] {
  const { warningSeconds: warning, criticalSeconds: critical } = thresholds.clockSkew
  const severity = beyond(seconds, { warning, critical })
  if (!severity) return []
  return [
    found('ClockSkew', severity, summary, { labels: { clock }, stage: stageOfClock[clock], value: seconds, unit: 's' }),
  ]
}

/** Messages rejected because of future timestamps, if they are the main reason for a high error rate. */
function rejectedFuture({ snapshot, measures, thresholds }: RuleScene): Found[] {
  const { deadLetters } = snapshot.postgres
  if (deadLetters.state === 'unknown') return []
  const { future_timestamp: future = 0, ...others } = deadLetters.recentByReason
  const rest = Object.values(others).reduce((sum, count) => sum + count, 0)
  const { errorRatePercent: rate } = measures
  const { warningPercent: warning, criticalPercent: critical } = thresholds.errorRate
  const severity = rate.state === 'ok' ? beyond(rate.value, { warning, critical }) : 'warning'
  if (future === 0 || future < rest || !severity) return []
  const limit = span(snapshot.asked.maxFutureSeconds)
  const summary = `${grouped(future)} messages within ${span(snapshot.asked.recentSeconds)} had a time more than ${limit} ahead, and were rejected: check the feed's clock`
  return [found('ClockSkew', severity, summary, { labels: { clock: 'feed' }, value: future, unit: 'messages' })]
}

/** R8: no new messages arrive in the topic during trading hours. */
export const feedSilent: Rule = (scene) => {
  const { measures, nowMs, snapshot } = scene
  const { feedSilenceSeconds: silence, market } = measures
  if (!market.isOpen) return []
  if (silence.state === 'unknown') {
    const isReachable = snapshot.kafka.log.state === 'ok'
    const [feed] = isReachable ? silentFeed(scene, Number.POSITIVE_INFINITY) : []
    return feed?.isDown ? [silentFinding(feed, 'warning', 0)] : [cannotJudge('FeedSilent', silence.reason)]
  }
  const seconds = openSeconds(silence.value, market.sinceMs, nowMs)
  return silentFeed(scene, seconds).flatMap((feed) =>
    feed.severity ? [silentFinding(feed, feed.severity, seconds)] : [],
  )
}

interface SilentFeed {
  readonly severity: Found['severity'] | undefined
  readonly why: string
  readonly isDown: boolean
}

function silentFinding({ why }: SilentFeed, severity: Found['severity'], seconds: number): Found {
  const told = seconds > 0 ? `no new messages for ${span(seconds)}: ${why}` : why
  return found('FeedSilent', severity, told, { ...(seconds > 0 ? { value: seconds, unit: 's' } : {}) })
}

/** States of a feed that cannot reach Kafka. The second one is written by earlier versions. */
const cannotSend: ReadonlySet<string> = new Set(['kafka unavailable', 'kafka away'])

/**
 * The state of the feed:
 *   none          no feed of market-kpi is known
 *   down          no feed runs, and the last one had not sent all of its source
 *   unconnected   a feed runs, but cannot reach Kafka
 *   finished      the feed has sent all of its source
 *   sending       the feed runs
 */
export const feedStates = ['none', 'down', 'unconnected', 'finished', 'sending'] as const
export type FeedState = (typeof feedStates)[number]

export function feedStateOf(workers: readonly WorkerState[], thresholds: Thresholds): FeedState {
  const rows = workers.filter(({ kind }) => kind === 'feed')
  if (rows.length === 0) return 'none'
  const live = liveWorkers(rows, 'feed', thresholds)
  // A feed that stopped after it had sent all of its source is not missing.
  if (live.length === 0) return (lastFeed(rows)?.endedAtMs ?? null) === null ? 'down' : 'finished'
  if (live.some(({ workerState }) => cannotSend.has(workerState))) return 'unconnected'
  return live.every(({ workerState }) => workerState === 'at its end') ? 'finished' : 'sending'
}

/** The severity of a silence depends on the state of the feed. */
function silentFeed({ snapshot, thresholds, measures }: RuleScene, seconds: number): SilentFeed[] {
  const { workers: source } = snapshot.postgres
  const { warningSeconds: warning, criticalSeconds: critical } = thresholds.feedSilence
  const severity = beyond(seconds, { warning, critical })
  const workers = source.state === 'ok' ? source.workers : []
  const broken = seconds > thresholds.workerDownSeconds ? (severity ?? 'warning') : undefined
  const quiet = severity === 'critical' ? 'warning' : severity && 'info'
  // A feed that ended with an error does not recover by itself, so the finding does not wait for WORKER_DOWN_SECONDS.
  const failure = lastFeed(workers)?.failure ?? null
  const down = failure === null ? broken : (severity ?? 'warning')
  const told: Record<FeedState, Omit<SilentFeed, 'isDown'>> = {
    none: { severity, why: 'no feed of market-kpi is known, so the producer is another program' },
    down: { severity: down, why: downText(workers) },
    unconnected: { severity: broken, why: 'the feed does not reach Kafka' },
    finished: { severity: severity && 'info', why: 'the feed has sent everything that its source holds' },
    sending: measures.replay
      ? { severity: severity && 'info', why: 'the next line of the replayed file is not due yet' }
      : { severity: quiet, why: 'the feed is running, the market is quiet' },
  }
  const state = feedStateOf(workers, thresholds)
  return [{ ...told[state], isDown: state === 'down' }]
}

function downText(workers: readonly WorkerState[]): string {
  const last = lastFeed(workers)
  if (!last) return ''
  if (last.failure !== null) return `the feed ended on an error: ${last.failure}`
  return last.stoppedAtMs === null
    ? `the feed last reported ${span(last.seenAgoSeconds)} ago`
    : `the feed was stopped ${span(last.seenAgoSeconds)} ago`
}
