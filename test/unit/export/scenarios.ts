import type { SettingName } from '../../../src/config/settings.ts'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import { dead, healthy, lagging, nowMs, without, withSource, worker } from '../observe/scene.ts'
import { intervalMs } from './recorded-series.ts'
import { full, pool, skewed, waitedFor } from './server-faults.ts'

/** A recorded series of looks: well, then broken, then repaired. */
export interface Scenario {
  readonly name: string
  readonly settings?: Partial<Record<SettingName, string>>
  readonly snapshots: readonly PipelineSnapshot[]
  /** The last look at a pipeline that is well; undefined where it was broken from the beginning. */
  readonly well?: number
  /** The last broken look. */
  readonly broken: number
  /** Of what fires then, what this is about. */
  readonly alerts: readonly string[]
}

type Fault = (snapshot: PipelineSnapshot, look: number) => PipelineSnapshot

const before = 4
const after = 12

/** Some looks that are well, then as many broken ones as it takes, then some that are well again. */
function scenario(
  name: string,
  alerts: readonly string[],
  fault: Fault,
  more: { observations?: number; settings?: Scenario['settings'] } = {},
): Scenario {
  const { observations = 12, settings = {} } = more
  const snapshots = Array.from({ length: before + observations + after }, (_, index) => {
    const snapshot = moved(healthy(nowMs + index * intervalMs), index)
    const look = index - before
    return look >= 0 && look < observations ? fault(snapshot, look) : snapshot
  })
  return { name, settings, snapshots, well: before - 1, broken: before + observations - 1, alerts }
}

/** In a pipeline that works, 10 messages a second are merged. */
function brokerAhead(snapshot: PipelineSnapshot, seconds: number): PipelineSnapshot {
  return silent(snapshot, -seconds)
}

function moved(snapshot: PipelineSnapshot, index: number): PipelineSnapshot {
  return withSource(snapshot, 'postgres', 'positions', { merged: 3000 + index * 150 })
}

/** The same age at each look of what is newest, so that it grows with none of them. */
function oldPrices(snapshot: PipelineSnapshot, seconds: number): PipelineSnapshot {
  return withSource(snapshot, 'postgres', 'kpi', { newestEventAtMs: snapshot.takenAtMs - seconds * 1000 })
}

function silent(snapshot: PipelineSnapshot, seconds: number): PipelineSnapshot {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return snapshot
  const partitions = log.partitions.map((p) => ({ ...p, newestRecordAtMs: snapshot.takenAtMs - seconds * 1000 }))
  return withSource(snapshot, 'kafka', 'log', { partitions })
}

/** A topic of producers' times, in which a message comes between two looks. */
function inUnit(snapshot: PipelineSnapshot, perMs: number): PipelineSnapshot {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return snapshot
  const partitions = log.partitions.map((p) => ({ ...p, newestRecordAtMs: Math.floor(snapshot.takenAtMs * perMs) }))
  return withSource(snapshot, 'kafka', 'log', { isAppendTime: false, partitions })
}

function feedIs(snapshot: PipelineSnapshot, more: Parameters<typeof worker>[1]): PipelineSnapshot {
  return withSource(snapshot, 'postgres', 'workers', {
    workers: [worker('consumer-1'), worker('feed-1', { kind: 'feed', ...more })],
  })
}

function rejecting(snapshot: PipelineSnapshot, percent: number): PipelineSnapshot {
  const recent = { seconds: 3600, processed: 10_000, rejected: percent * 100 }
  return withSource(snapshot, 'postgres', 'workers', {
    workers: [worker('consumer-1', { recent }), worker('feed-1', { kind: 'feed' })],
  })
}

/** Messages wait in partition 1, whose position has not moved since before. */
function stuck(snapshot: PipelineSnapshot): PipelineSnapshot {
  return stuckFor(snapshot, 100)
}

function stuckFor(snapshot: PipelineSnapshot, seconds: number): PipelineSnapshot {
  const { log } = snapshot.kafka
  const { positions } = snapshot.postgres
  if (log.state === 'unknown' || positions.state === 'unknown') return snapshot
  const old = snapshot.takenAtMs - seconds * 1000
  const waiting = log.partitions.map((p) => (p.partition === 1 ? { ...p, endOffset: 1050, nextRecordAtMs: old } : p))
  const still = positions.partitions.map((p) => (p.partition === 1 ? { ...p, movedAtMs: old } : p))
  const standing = withSource(snapshot, 'postgres', 'positions', { partitions: still })
  return withSource(standing, 'kafka', 'log', { partitions: waiting })
}

/** Messages in partition 1 wait for a transaction of another application; the worker has read all that it can. */
function blocked(snapshot: PipelineSnapshot, openSeconds: number, messages = 50): PipelineSnapshot {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return snapshot
  const sinceMs = snapshot.takenAtMs - openSeconds * 1000
  const openTransaction = { startOffset: 1000, producerId: 4001, transactionalId: 'orders', sinceMs }
  const partitions = log.partitions.map((p) =>
    p.partition === 1 ? { ...p, endOffset: 1000 + messages, openTransaction, nextRecordAtMs: sinceMs } : p,
  )
  return withSource(snapshot, 'kafka', 'log', { partitions })
}

function outsideLog(snapshot: PipelineSnapshot): PipelineSnapshot {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return snapshot
  const cut = log.partitions.map((p) => ({ ...p, startOffset: 1500, endOffset: 2000 }))
  return withSource(snapshot, 'kafka', 'log', { partitions: cut })
}

/** A backlog, processed at so many messages a second. */
function slow(perSecond: number): Fault {
  return (snapshot, look) =>
    withSource(lagging(snapshot, 4000, 100), 'postgres', 'positions', {
      merged: 3000 + before * 150 + look * perSecond * 15,
    })
}

function withoutPartitions(snapshot: PipelineSnapshot, change: object): PipelineSnapshot {
  const { topic } = snapshot.kafka
  if (topic.state === 'unknown') return snapshot
  const partitions = topic.partitions.map((p) => (p.partition === 2 ? { ...p, ...change } : p))
  return withSource(snapshot, 'kafka', 'topic', { partitions })
}

function oldSymbol(snapshot: PipelineSnapshot, seconds: number): PipelineSnapshot {
  const { symbols } = snapshot.postgres
  if (symbols.state === 'unknown') return snapshot
  const one = symbols.symbols.map((s) =>
    s.symbol === 'AAPL' ? { ...s, newestEventAtMs: snapshot.takenAtMs - seconds * 1000 } : s,
  )
  return withSource(snapshot, 'postgres', 'symbols', { symbols: one })
}

const gone = { seenAgoSeconds: 600 }

const lost: Fault = (s) =>
  withSource(s, 'postgres', 'workers', { workers: [worker('consumer-1', gone), worker('feed-1', { kind: 'feed' })] })

const halfLost: Fault = (s) =>
  withSource(s, 'postgres', 'workers', {
    workers: [worker('consumer-1'), worker('consumer-2', gone), worker('feed-1', { kind: 'feed' })],
  })

const unconsumed: Fault = (s) =>
  withSource(s, 'kafka', 'group', { members: [{ clientId: 'w', host: '/127.0.0.1', partitions: [0, 1] }] })

function givenUp(snapshot: PipelineSnapshot): PipelineSnapshot {
  const stranded = worker('consumer-1', { partitions: [0, 1], strandedPartitions: [2] })
  return withSource(snapshot, 'postgres', 'workers', { workers: [stranded, worker('feed-1', { kind: 'feed' })] })
}

/** Prices of 2024. */
function replays(s: PipelineSnapshot, more: Parameters<typeof worker>[1] = {}, isPaced = true): PipelineSnapshot {
  return feedIs(s, { replay: { eventAtMs: Date.UTC(2024, 1, 14, 15, 30), isPaced }, ...more })
}

function neverFed(snapshot: PipelineSnapshot): PipelineSnapshot {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return snapshot
  const partitions = log.partitions.map((p) => ({ ...p, endOffset: 0, newestRecordAtMs: null }))
  const empty = withSource(snapshot, 'kafka', 'log', { partitions })
  return withSource(empty, 'postgres', 'positions', { partitions: [], merged: 0 })
}

const letters =
  (counts: Record<string, number>): Fault =>
  (s) =>
    withSource(s, 'postgres', 'deadLetters', { recentByReason: counts })

const pepe = { symbol: 'PEPE/USDT', messages: 3, field: 'close', text: '0.000000123789', decimals: 12 }
const feedWorker = worker('feed-1', { kind: 'feed' })

const closed = { tradingHours: '*=America/New_York Mon-Fri 09:30-16:00' }

interface LimitValues {
  readonly diskPercent: number
  readonly errorPercent: number
  readonly poolPercent: number
  readonly skewSeconds: number
  readonly priceSeconds: number
}

function at(limits: LimitValues): Fault {
  return (s) => {
    const recent = { seconds: 3600, processed: 10_000, rejected: limits.errorPercent * 100 }
    const pooled = { size: 100, inUse: limits.poolPercent, waiting: 3, acquireMs: 900, waitedPercent: 0 }
    const workers = [worker('consumer-1', { recent, pool: pooled }), worker('feed-1', { kind: 'feed' })]
    // What lies within the latency is no difference.
    const clock = { clockAheadMs: limits.skewSeconds * 1000 + 1 }
    const aged = withSource(oldPrices(full(s, limits.diskPercent), limits.priceSeconds), 'postgres', 'server', clock)
    return letters({ empty: 1000 })(withSource(aged, 'postgres', 'workers', { workers }), 0)
  }
}

export const scenarios: readonly Scenario[] = [
  scenario('all is well', [], (s) => s),
  scenario(
    'all is at its limit, and not beyond',
    [],
    at({ diskPercent: 75, errorPercent: 1, poolPercent: 70, skewSeconds: 30, priceSeconds: 600 }),
  ),
  scenario(
    'all is at its critical limit, and not beyond',
    [
      'warning KafkaDiskHigh broker=1 directory=/data',
      'warning ErrorRateHigh',
      'warning PoolSaturated',
      'warning KpiStale',
    ],
    at({ diskPercent: 90, errorPercent: 5, poolPercent: 90, skewSeconds: 300, priceSeconds: 900 }),
  ),
  scenario('Kafka is gone', ['critical KafkaUnreachable'], (s) => dead(s, 'kafka')),
  scenario('PostgreSQL is gone', ['critical PostgresUnreachable'], (s) => dead(s, 'postgres')),
  scenario('PostgreSQL is a standby', ['critical PostgresUnreachable'], (s) =>
    withSource(s, 'postgres', 'server', { isStandby: true }),
  ),
  scenario('the topic is gone', ['critical TopicMissing'], (s) =>
    withSource(s, 'kafka', 'topic', { isThere: false, topicId: '', partitions: [] }),
  ),
  scenario('the topic is another one', ['critical TopicMissing'], (s) =>
    withSource(s, 'kafka', 'topic', { topicId: 'another' }),
  ),
  scenario('a partition has no leader', ['critical PartitionsOffline'], (s) =>
    withoutPartitions(s, { leaderId: null }),
  ),
  scenario('a replica is behind', ['warning PartitionsOffline kind=under-replicated'], (s) =>
    withoutPartitions(s, { replicas: 3, inSyncReplicas: 2 }),
  ),
  scenario('a disk is rather full', ['warning KafkaDiskHigh broker=1 directory=/data'], (s) => full(s, 80)),
  scenario('a disk is full', ['critical KafkaDiskHigh broker=1 directory=/data'], (s) => full(s, 95)),
  scenario('a column is gone', ['critical SchemaInvalid'], (s) =>
    withSource(s, 'postgres', 'schema', { missingParts: ['kpi_market_prices.vwap'] }),
  ),
  scenario('the schema is newer', ['warning SchemaInvalid'], (s) =>
    withSource(s, 'postgres', 'schema', { newerMigrations: ['0099_later'] }),
  ),
  scenario("the database's clock is behind", ['warning ClockSkew clock=database'], (s) => skewed(s, 40)),
  scenario("the database's clock is far behind", ['critical ClockSkew clock=database'], (s) => skewed(s, 400)),
  scenario("the broker's clock is ahead", ['warning ClockSkew clock=broker'], (s) => brokerAhead(s, 60)),
  scenario('prices are of the future', ['critical ClockSkew clock=feed'], (s) => oldPrices(s, -400)),
  scenario('prices are rejected for their future', ['critical ClockSkew clock=feed', 'critical ErrorRateHigh'], (s) =>
    letters({ future_timestamp: 900, empty: 10 })(rejecting(s, 9), 0),
  ),
  scenario('record timestamps are in seconds', ['critical ClockSkew clock=producer'], (s) => inUnit(s, 1e-3)),
  scenario('record timestamps are in microseconds', ['warning ClockSkew clock=producer'], (s) => inUnit(s, 1e3)),
  scenario('the last worker is lost', ['critical WorkerDown kind=consumer'], lost),
  scenario('one of two workers is lost', ['warning WorkerDown kind=consumer'], halfLost),
  scenario('nobody consumes', ['critical NoConsumer'], (s) => withSource(s, 'kafka', 'group', { members: [] })),
  scenario('nobody consumes one partition', ['critical NoConsumer'], unconsumed),
  scenario('a group shares its partitions out', [], (s) =>
    withSource(s, 'kafka', 'group', { isRebalancing: true, members: [], groupState: 'PreparingRebalance' }),
  ),
  scenario('a partition does not advance', ['critical ConsumerStalled'], stuck),
  scenario("a partition does not advance, by producers' timestamps", ['critical ConsumerStalled'], (s) =>
    withSource(stuck(s), 'kafka', 'log', { isAppendTime: false }),
  ),
  scenario('a worker gave a partition up', ['critical ConsumerStalled', 'critical NoConsumer'], (s) =>
    givenUp(unconsumed(lagging(s, 5), 0)),
  ),
  scenario('positions are before the log', ['critical ConsumerStalled'], outsideLog),
  scenario('the lag is high', ['warning ConsumerLagHigh'], (s) => lagging(s, 400)),
  scenario('the lag is not high yet', [], (s) => lagging(s, 333)),
  scenario('the lag is growing', ['warning ConsumerLagGrowing'], (s, look) => lagging(s, 100 + look, 1), {
    observations: 26,
  }),
  scenario('a backlog is processed slowly', ['warning ThroughputLow'], slow(300)),
  scenario('a backlog is hardly processed', ['critical ThroughputLow'], slow(50)),
  scenario('transactions of other applications are open for seconds', [], (s) => blocked(s, 5, 20_000)),
  scenario('many messages wait for a transaction', ['warning ConsumerLagHigh'], (s) => blocked(s, 15, 20_000)),
  scenario('messages wait for a transaction', ['warning TransactionStuck partition=1'], (s) => blocked(s, 61)),
  scenario('messages have waited for a transaction for long', ['critical TransactionStuck partition=1'], (s) =>
    blocked(s, 901),
  ),
  scenario(
    'many messages wait for a transaction, and rows get old',
    ['critical TransactionStuck partition=1', 'warning ConsumerLagHigh', 'critical KpiStale'],
    (s) => oldPrices(blocked(s, 1000, 20_000), 1000),
  ),
  scenario('a pool is rather full', ['warning PoolSaturated'], (s) => pool(s, 80)),
  scenario('a pool is full', ['critical PoolSaturated'], (s) => pool(s, 95)),
  scenario('the only connection is waited for now and then', [], (s) => waitedFor(s, 60)),
  scenario('the only connection is waited for', ['warning PoolSaturated'], (s) => waitedFor(s, 80)),
  scenario('the only connection is waited for all the time', ['critical PoolSaturated'], (s) => waitedFor(s, 100)),
  scenario('some messages are bad', ['warning ErrorRateHigh'], (s) => rejecting(s, 3)),
  scenario('many messages are bad', ['critical ErrorRateHigh'], (s) => rejecting(s, 10)),
  scenario('many letters, however small their share', ['warning DeadLettersGrowing'], letters({ empty: 1200 })),
  scenario('a symbol loses precision', ['warning PrecisionLost symbol=PEPE/USDT'], (s) =>
    withSource(s, 'postgres', 'workers', { workers: [worker('consumer-1', { precisionLost: [pepe] }), feedWorker] }),
  ),
  scenario('rows are old, and messages come', ['warning KpiStale'], (s) => oldPrices(s, 700)),
  scenario('rows are very old, and messages come', ['critical KpiStale'], (s) => oldPrices(s, 1000)),
  scenario('rows are old in a closed market', [], (s) => oldPrices(s, 1000), { settings: closed }),
  scenario('rows are old, of a replay', [], (s) => oldPrices(replays(s), 1000)),
  scenario('rows are old, of a replay that has finished', [], (s) =>
    oldPrices(silent(replays(s, { endedAtMs: s.takenAtMs - 1e6 }), 1000), 1000),
  ),
  scenario('a replay waits for its next line', [], (s) => silent(replays(s), 1000)),
  scenario('rows are behind a replay', ['critical KpiStale', 'critical ConsumerStalled'], (s) =>
    stuckFor(replays(s), 1000),
  ),
  scenario('a replay goes as fast as it can', [], (s) => lagging(replays(s, {}, false), 4000, 1)),
  scenario('rows are behind a replay that goes as fast as it can', ['warning ConsumerLagHigh'], (s) =>
    lagging(replays(s, {}, false), 4000, 40),
  ),
  scenario('rows are old, as nothing comes', ['warning FeedSilent'], (s) => oldPrices(silent(s, 1000), 1000)),
  scenario('one symbol is old', ['warning KpiStale symbol=AAPL'], (s) => oldSymbol(s, 1000)),
  scenario('one symbol with limits of its own is old', ['critical KpiStale symbol=AAPL'], (s) => oldSymbol(s, 200), {
    settings: { freshnessBySymbol: 'MSFT=default,A*=60:120' },
  }),
  scenario('one symbol is old that may be', [], (s) => oldSymbol(s, 2000), {
    settings: { freshnessBySymbol: 'A*=off' },
  }),
  scenario('one symbol has left', [], (s) => oldSymbol(s, 300_000)),
  scenario('the feed is down', ['warning FeedSilent', 'warning WorkerDown kind=feed'], (s) =>
    silent(feedIs(s, gone), 60),
  ),
  scenario('the feed has been down for long', ['critical FeedSilent'], (s) => silent(feedIs(s, gone), 1000)),
  scenario('the feed cannot send', ['warning FeedSilent'], (s) =>
    silent(feedIs(s, { workerState: 'kafka unavailable' }), 60),
  ),
  scenario('the feed is down, and nothing ever came', ['warning FeedSilent'], (s) => neverFed(feedIs(s, gone))),
  scenario('the feed is at its end', [], (s) => silent(feedIs(s, { workerState: 'at its end' }), 1000)),
  scenario('the producer is not ours and silent', ['critical FeedSilent'], (s) =>
    silent(withSource(s, 'postgres', 'workers', { workers: [worker('consumer-1')] }), 1000),
  ),
  scenario('a silence at night', [], (s) => silent(feedIs(s, gone), 1000), { settings: closed }),
  scenario('thresholds of its own', ['warning ConsumerLagHigh'], (s) => lagging(s, 20), {
    settings: { lagWarningMessages: '50', lagTargetMessages: '40' },
  }),
  scenario('what the letters are is not known', [], (s) => without(s, 'postgres', 'deadLetters')),
]
