// Each rule with values just under, at and over its thresholds, and without knowing.
import { describe, expect, it } from 'vitest'
import { type RuleName, ruleNames } from '../../../src/observe/finding.ts'
import type { PipelineSnapshot, WorkerState } from '../../../src/observe/snapshot.ts'
import {
  causesOf,
  dead,
  healthy,
  judge,
  lagging,
  looksOver,
  nowMs,
  severitiesOf,
  thresholds,
  topicId,
  without,
  withSource,
  worker,
} from './scene.ts'

type Case = readonly [what: string, looks: PipelineSnapshot | PipelineSnapshot[], expected: string[]]

function table(rule: RuleName, cases: readonly Case[]): void {
  describe(rule, () => {
    it.each(cases)('%s', (_what, looks, expected) => {
      expect(severitiesOf(judge(looks), rule)).toEqual(expected)
    })
  })
}

const ok = healthy()
const withWorkers = (...workers: WorkerState[]) => withSource(ok, 'postgres', 'workers', { workers })
const feed = worker('feed-1', { kind: 'feed' })
const consumer = worker('consumer-1')

it('a pipeline that works has no findings', () => {
  expect(judge(ok)).toMatchObject({ verdict: 'ok', firstBrokenStage: null, findings: [] })
  expect(judge(looksOver(300, 5, (snapshot) => snapshot)).findings).toEqual([])
})

it('every rule can say that it does not know, or that what it looks at is gone', () => {
  const { findings } = judge(dead(dead(ok, 'kafka'), 'postgres'))
  const silent = ruleNames.filter((name) => !findings.some(({ rule }) => rule === name))
  // The first tells of the leaders; the second has nobody to ask; the third and fourth are known over time only.
  expect(silent).toEqual(['PartitionsOffline', 'ClockSkew', 'NoConsumer', 'ConsumerStalled', 'ConsumerLagGrowing'])
  for (const { isUnknown, value, rule } of findings) {
    if (!rule.endsWith('Unreachable'))
      expect({ rule, isUnknown, value }).toEqual({ rule, isUnknown: true, value: null })
  }
})

table('KafkaUnreachable', [
  ['with an answer', ok, []],
  ['without one', without(ok, 'kafka', 'cluster'), ['critical']],
])

table('TopicMissing', [
  ['there', ok, []],
  ['not there', withSource(ok, 'kafka', 'topic', { isThere: false, topicId: '', partitions: [] }), ['critical']],
  ['created anew', withSource(ok, 'kafka', 'topic', { topicId: topicId.replace('1', '9') }), ['critical']],
  ['before init', withSource(ok, 'postgres', 'schema', { definition: null }), []],
  ['not known', without(ok, 'kafka', 'topic'), ['unknown']],
])

const partition = (number: number, more: object) => ({
  partition: number,
  leaderId: 1,
  leaderEpoch: 0,
  replicas: 3,
  inSyncReplicas: 3,
  ...more,
})

table('PartitionsOffline', [
  ['all led, all in sync', withSource(ok, 'kafka', 'topic', { partitions: [partition(0, {}), partition(1, {})] }), []],
  ['one not led', withSource(ok, 'kafka', 'topic', { partitions: [partition(0, { leaderId: null })] }), ['critical']],
  [
    'one replica behind',
    withSource(ok, 'kafka', 'topic', { partitions: [partition(0, { inSyncReplicas: 2 })] }),
    ['warning'],
  ],
])

const diskAt = (usedPercent: number, atMs = nowMs) =>
  withSource(healthy(atMs), 'kafka', 'disk', {
    volumes: [
      { nodeId: 1, directory: '/data', topicBytes: 1, totalBytes: 10_000, usableBytes: 10_000 - usedPercent * 100 },
    ],
  })
const hoursAgo = (hours: number) => nowMs - hours * 3_600_000

table('KafkaDiskHigh', [
  ['at 74.99 %', diskAt(74.99), []],
  ['at 75 %', diskAt(75), []],
  ['at 75.01 %', diskAt(75.01), ['warning']],
  ['at 90 %', diskAt(90), ['warning']],
  ['at 90.01 %', diskAt(90.01), ['critical']],
  ['full within 24 h at the growth of the last six hours', [diskAt(40, hoursAgo(6)), diskAt(54)], ['warning']],
  ['not full for 24 h', [diskAt(40, hoursAgo(6)), diskAt(51)], []],
  ['growth of a moment', [diskAt(40, hoursAgo(5.9)), diskAt(60)], []],
  ['shrinking', [diskAt(60, hoursAgo(6)), diskAt(50)], []],
  ['a broker that does not tell', withSource(ok, 'kafka', 'disk', { volumes: [] }), ['unknown']],
  ['not known', without(ok, 'kafka', 'disk'), ['unknown']],
])

table('PostgresUnreachable', [
  ['with an answer', ok, []],
  ['without one', without(ok, 'postgres', 'server'), ['critical']],
  ['a standby', withSource(ok, 'postgres', 'server', { isStandby: true }), ['critical']],
])

const definition = { topic: 'market-prices', topicId, group: 'processor', windowSeconds: 300 }
const schema = (more: object) => withSource(ok, 'postgres', 'schema', more)

table('SchemaInvalid', [
  ['as the migrations make it', ok, []],
  ['a migration missing', schema({ missingMigrations: ['0004_new'] }), ['critical']],
  ['a column missing', schema({ missingParts: ['kpi_market_prices.vwap'] }), ['critical']],
  ['of nothing yet', schema({ definition: null }), ['critical']],
  ['a newer one', schema({ newerMigrations: ['0009_later'] }), ['warning']],
  ['of another group', schema({ definition: { ...definition, group: 'other' } }), ['warning']],
  ['of other windows', schema({ definition: { ...definition, windowSeconds: 60 } }), ['warning']],
  ['not known', without(ok, 'postgres', 'schema'), ['unknown']],
])

const clock = (clockAheadMs: number, latencyMs = 0) => withSource(ok, 'postgres', 'server', { clockAheadMs, latencyMs })
const newestEvent = (aheadSeconds: number) =>
  withSource(ok, 'postgres', 'kpi', { newestEventAtMs: nowMs + aheadSeconds * 1000 })
const letters = (recentByReason: Record<string, number>, rejected: number) =>
  withSource(withSource(ok, 'postgres', 'deadLetters', { recentByReason }), 'postgres', 'workers', {
    workers: [worker('consumer-1', { recent: { seconds: 300, processed: 1000, rejected } }), feed],
  })

const recordTimes = (newestRecordAtMs: number | null, isAppendTime = false) => {
  const { log } = ok.kafka
  if (log.state === 'unknown') throw new Error('the log is known')
  const partitions = log.partitions.map((p) => ({ ...p, newestRecordAtMs }))
  return withSource(ok, 'kafka', 'log', { isAppendTime, partitions })
}

table('ClockSkew', [
  ['the database 30 s ahead', clock(30_000), []],
  ['the database 30.1 s ahead', clock(30_100), ['warning']],
  ['the database 30.1 s behind', clock(-30_100), ['warning']],
  ['the database 300.1 s behind', clock(-300_100), ['critical']],
  ['an answer so slow that nothing is sure', clock(32_000, 5000), []],
  ['a price 30 s ahead', newestEvent(30), []],
  ['a price 31 s ahead', newestEvent(31), ['warning']],
  ['a price 301 s ahead', newestEvent(301), ['critical']],
  ['a tenth of the messages from the future', letters({ future_timestamp: 100 }, 100), ['critical']],
  ['two of a hundred from the future', letters({ future_timestamp: 20 }, 20), ['warning']],
  ['a single one from the future', letters({ future_timestamp: 1 }, 1), []],
  ['more of other faults', letters({ future_timestamp: 40, not_json: 60 }, 100), []],
  ['records with times in seconds', recordTimes(nowMs / 1000), ['critical']],
  ['records with times in microseconds', recordTimes(nowMs * 1000), ['warning']],
  ['records with times in nanoseconds', recordTimes(nowMs * 1e6), ['warning']],
  ['records with times of 2001', recordTimes(Date.UTC(2001, 0)), []],
  ['records with times of tomorrow', recordTimes(nowMs + 86_400_000), []],
  ['records with times in seconds, by a broker', recordTimes(nowMs / 1000, true), []],
  ['an empty log of producers', recordTimes(null), []],
  ['not known', without(ok, 'postgres', 'server', 'kpi', 'deadLetters'), []],
])

it('a record time of the far future hides no silence', () => {
  const before = { ...recordTimes(nowMs * 1000), takenAtMs: nowMs - 901_000 }
  const stopped = judge([before, recordTimes(nowMs * 1000)])
  expect(stopped.measures.feedSilenceSeconds).toEqual({ state: 'unknown', reason: expect.any(String) })
})

function silent(seconds: number, ...workers: WorkerState[]): PipelineSnapshot {
  const { log } = ok.kafka
  const partitions = log.state === 'ok' ? log.partitions : []
  return withSource(withWorkers(consumer, ...workers), 'kafka', 'log', {
    partitions: partitions.map((p) => ({ ...p, newestRecordAtMs: nowMs - seconds * 1000 })),
  })
}

const stopped = worker('feed-1', {
  kind: 'feed',
  workerState: 'stopped',
  stoppedAtMs: nowMs - 60_000,
  seenAgoSeconds: 60,
})
const failed = worker('feed-1', {
  kind: 'feed',
  workerState: 'failed',
  stoppedAtMs: nowMs - 2000,
  failure: 'prices.csv, line 7: no price',
})
const lost = worker('feed-1', { kind: 'feed', seenAgoSeconds: 60 })
const away = worker('feed-1', { kind: 'feed', workerState: 'kafka away' })
const atEnd = worker('feed-1', { kind: 'feed', workerState: 'at its end' })
const doneAndGone = worker('feed-1', {
  kind: 'feed',
  endedAtMs: nowMs - 901_000,
  stoppedAtMs: nowMs - 901_000,
  seenAgoSeconds: 901,
})
/** Of a file of 2024, all of which is read. */
const replaying = (more: Partial<WorkerState> = {}) =>
  worker('feed-1', { kind: 'feed', replay: { eventAtMs: Date.UTC(2024, 1, 14, 15, 30), isPaced: true }, ...more })

/** So many seconds ago the log was shorter than now; what it held then, and holds now, is of that age. */
const shorterBefore = (seconds: number, now: PipelineSnapshot): PipelineSnapshot => {
  const { log } = now.kafka
  const partitions = log.state === 'ok' ? log.partitions : []
  const before = partitions.map((p) => ({ ...p, endOffset: p.endOffset - 10 }))
  return withSource({ ...now, takenAtMs: nowMs - seconds * 1000 }, 'kafka', 'log', { partitions: before })
}
const recorded = (seconds: number) => [shorterBefore(seconds, silent(1e6, stopped)), silent(1e6, stopped)]

table('FeedSilent', [
  ['of a producer that is not ours, at 300 s', silent(300), []],
  ['of a producer that is not ours, at 301 s', silent(301), ['warning']],
  ['of a producer that is not ours, at 900 s', silent(900), ['warning']],
  ['of a producer that is not ours, at 901 s', silent(901), ['critical']],
  ['a quiet market, at 301 s', silent(301, feed), ['info']],
  ['a quiet market, at 901 s', silent(901, feed), ['warning']],
  ['stopped, at 30 s', silent(30, stopped), []],
  ['stopped, at 31 s', silent(31, stopped), ['warning']],
  ['stopped, at 901 s', silent(901, stopped), ['critical']],
  [
    'stopped right after a look, at 31 s',
    [
      shorterBefore(40, silent(31, stopped)),
      { ...silent(31, stopped), takenAtMs: nowMs - 25_000 },
      silent(31, stopped),
    ],
    ['warning'],
  ],
  ['ended on an error, at once', silent(1, failed), ['warning']],
  ['ended on an error, and another one sends', silent(1, failed, worker('feed-2', { kind: 'feed' })), []],
  ['with times of long ago, and grown within 30 s', recorded(30), []],
  ['with times of long ago, and grown within 31 s', recorded(31), ['warning']],
  ['killed, at 31 s', silent(31, lost), ['warning']],
  ['killed, and another one sends', silent(31, lost, worker('feed-2', { kind: 'feed' })), []],
  ['cannot reach Kafka, at 31 s', silent(31, away), ['warning']],
  ['at the end of its file', silent(901, atEnd), ['info']],
  ['stopped at the end of its file', silent(901, doneAndGone), ['info']],
  ['a replay whose next line is not due yet', silent(901, replaying()), ['info']],
  ['a replay that was killed', silent(31, replaying({ seenAgoSeconds: 31 })), ['warning']],
  ['an empty topic', withSource(ok, 'kafka', 'log', { partitions: [] }), ['unknown']],
  ['not known', without(ok, 'kafka', 'log'), ['unknown']],
])

/** One after the other, each before it was missed. */
const crashes = (...last: WorkerState[]) =>
  withWorkers(
    worker('a', { place: 'here 1', startedAtMs: nowMs - 200_000, seenAgoSeconds: 120 }),
    worker('b', { place: 'here 1', startedAtMs: nowMs - 119_000, seenAgoSeconds: 90 }),
    worker('c', { place: 'here 1', startedAtMs: nowMs - 89_000, seenAgoSeconds: 40 }),
    ...last,
    feed,
  )

const unheard = [worker('a', { seenAgoSeconds: 60 }), worker('b', { kind: 'feed', seenAgoSeconds: 60 })]

/** A look at a database that was away so many seconds before this one. */
const awayUntil = (seconds: number, now: PipelineSnapshot) => [
  dead({ ...ok, takenAtMs: nowMs - seconds * 1000 }, 'postgres'),
  now,
]

table('WorkerDown', [
  ['seen 30 s ago', withWorkers(worker('a', { seenAgoSeconds: 30 }), feed), []],
  ['seen 30.1 s ago, the only one', withWorkers(worker('a', { seenAgoSeconds: 30.1 }), feed), ['critical']],
  ['seen 31 s ago, one of two', withWorkers(worker('a', { seenAgoSeconds: 31 }), worker('b'), feed), ['warning']],
  ['a feed seen 31 s ago', withWorkers(consumer, worker('a', { kind: 'feed', seenAgoSeconds: 31 })), ['warning']],
  ['stopped as it should', withWorkers(worker('a', { seenAgoSeconds: 99, stoppedAtMs: nowMs - 99_000 }), consumer), []],
  [
    'one that started since took its place',
    withWorkers(worker('a', { seenAgoSeconds: 99 }), worker('b', { startedAtMs: nowMs - 90_000 })),
    [],
  ],
  [
    'one took the place of two',
    withWorkers(
      worker('a', { seenAgoSeconds: 99 }),
      worker('b', { seenAgoSeconds: 98 }),
      worker('c', { startedAtMs: nowMs - 90_000 }),
    ),
    ['warning'],
  ],
  [
    'gone for ten minutes, while others work',
    withWorkers(worker('a', { seenAgoSeconds: 600 }), worker('b')),
    ['warning'],
  ],
  ['gone for longer, while others work', withWorkers(worker('a', { seenAgoSeconds: 601 }), worker('b')), []],
  ['gone for longer, and the last one', withWorkers(worker('a', { seenAgoSeconds: 601 }), feed), ['critical']],
  [
    'three crashes in one place, and one that works there',
    crashes(worker('d', { place: 'here 1', startedAtMs: nowMs - 5000 })),
    [],
  ],
  ['three crashes in one place', crashes(), ['critical']],
  [
    'three crashes in one place, and the fourth one stopped',
    crashes(worker('d', { place: 'here 1', startedAtMs: nowMs - 5000, stoppedAtMs: nowMs })),
    [],
  ],
  [
    'of two places on a machine, one start makes good for its own',
    withWorkers(
      worker('a', { place: 'here 1', seenAgoSeconds: 99 }),
      worker('b', { place: 'here 2', seenAgoSeconds: 98 }),
      worker('c', { place: 'here 1', startedAtMs: nowMs - 90_000 }),
      feed,
    ),
    ['warning'],
  ],
  [
    'one of a new place took the place of a machine that is gone',
    withWorkers(
      worker('a', { place: 'pod-1 1', seenAgoSeconds: 99 }),
      worker('b', { place: 'pod-2 1', startedAtMs: nowMs - 90_000 }),
    ),
    [],
  ],
  ['not known', without(ok, 'postgres', 'workers'), ['unknown']],
  ['not heard of while the database was away', awayUntil(5, withWorkers(...unheard)), ['unknown']],
  ['heard of again, since the database is back', awayUntil(5, withWorkers(consumer, feed)), []],
  ['still silent 31 s after the database came back', awayUntil(31, withWorkers(...unheard)), ['critical', 'warning']],
])

const member = (partitions: number[]) => ({ clientId: 'w', host: 'h', partitions })
const group = (more: object) => withSource(ok, 'kafka', 'group', more)

table('NoConsumer', [
  ['all partitions owned', ok, []],
  ['no members', group({ groupState: 'Empty', members: [] }), ['critical']],
  ['a group that is gone', group({ groupState: 'Dead', members: [] }), ['critical']],
  ['a partition that nobody owns', group({ members: [member([0, 2])] }), ['critical']],
  ['rebalancing', group({ groupState: 'PreparingRebalance', isRebalancing: true, members: [member([])] }), []],
  ['rebalancing without members', group({ isRebalancing: true, members: [] }), []],
  ['a member that died', withWorkers(worker('a', { seenAgoSeconds: 31 }), feed), ['critical']],
  ['a member not heard of while the database was away', awayUntil(5, withWorkers(...unheard)), []],
  [
    'a member that died, and one that keeps no row',
    withSource(withWorkers(worker('a', { seenAgoSeconds: 31 })), 'kafka', 'group', {
      members: [member([0]), member([1, 2])],
    }),
    [],
  ],
  ['a group that cannot be seen, with a worker', without(ok, 'kafka', 'group'), []],
  [
    'a group that cannot be seen, with a dead worker',
    without(withWorkers(worker('a', { seenAgoSeconds: 31 })), 'kafka', 'group'),
    ['critical'],
  ],
  ['not known', without(without(ok, 'kafka', 'group'), 'postgres', 'workers'), ['unknown']],
])

/** A position that moved so long ago, at a message that has waited as long. */
const stuckFor = (seconds: number, lag = 5) => {
  const behind = lagging(ok, lag, seconds)
  const { positions } = behind.postgres
  const partitions = positions.state === 'ok' ? positions.partitions : []
  return withSource(behind, 'postgres', 'positions', {
    partitions: partitions.map((p) => ({ ...p, movedAtMs: nowMs - seconds * 1000 })),
  })
}

table('ConsumerStalled', [
  ['stuck for 60 s', stuckFor(60), []],
  ['stuck for 60.1 s, with few messages too', stuckFor(60.1, 1), ['critical']],
  ['a long quiet, then a burst', withSource(stuckFor(600), 'kafka', 'log', lagOf(lagging(ok, 5, 1))), []],
  ['nothing to read for an hour', stuckFor(3600, 0), []],
  ['no position, with members', withSource(ok, 'postgres', 'positions', { partitions: [] }), ['unknown']],
  ['not known', without(ok, 'postgres', 'positions'), ['unknown']],
])

function lagOf(snapshot: PipelineSnapshot): object {
  return snapshot.kafka.log
}

table('ConsumerLagHigh', [
  ['999 messages', lagging(ok, 333), []],
  ['1000 messages', lagging(healthy(), 1000 / 3), []],
  ['1002 messages', lagging(ok, 334), ['warning']],
  ['not known', without(ok, 'postgres', 'positions'), ['unknown']],
])

/** A log that grows by fifty a second in each partition, and lags. */
const growing = (seconds: number, each: (before: number) => number) =>
  looksOver(seconds, 10, (snapshot, before) => lagging(longer(snapshot, before), each(before)))

function longer(snapshot: PipelineSnapshot, before: number): PipelineSnapshot {
  const { log } = snapshot.kafka
  const partitions = log.state === 'ok' ? log.partitions : []
  const endOffset = 100_000 - before * 50
  return withSource(snapshot, 'kafka', 'log', { partitions: partitions.map((p) => ({ ...p, endOffset })) })
}

table('ConsumerLagGrowing', [
  ['for 290 s', growing(290, (before) => 400 - before), ['unknown']],
  ['for 300 s', growing(300, (before) => 400 - before), ['warning']],
  ['for 300 s, and shrunk once', growing(300, (before) => (before === 100 ? 50 : 400 - before)), []],
  ['for 300 s, below the target', growing(300, (before) => 33 - Math.floor(before / 10)), []],
  ['high and steady', growing(300, () => 400), []],
  ['one look', lagging(ok, 300), ['unknown']],
  ['one look, on target', lagging(ok, 30), []],
  ['a position that went back', [lagging(healthy(nowMs - 10_000), 10), lagging(ok, 300)], ['warning']],
  ['a position that went back, and came again', [lagging(healthy(nowMs - 10_000), 10), lagging(ok, 5)], []],
])

/** A backlog over some seconds, worked off at a rate. */
const backlog = (seconds: number, perSecond: number) =>
  looksOver(seconds, 5, (snapshot, before) =>
    withSource(lagging(snapshot, 5000, null), 'postgres', 'positions', { merged: 1e6 - before * perSecond }),
  )

table('ThroughputLow', [
  ['499 messages/s, no backlog', lagging(ok, 333), []],
  ['a backlog for 25 s', backlog(25, 50), ['unknown']],
  ['500 messages/s, a backlog for 30 s', backlog(30, 500), []],
  ['499 messages/s, a backlog for 30 s', backlog(30, 499), ['warning']],
  ['99 messages/s for 55 s', backlog(55, 99), ['warning']],
  ['99 messages/s for 60 s', backlog(60, 99), ['critical']],
  ['100 messages/s for 60 s', backlog(60, 100), ['warning']],
  ['one look, at a message that has waited 30 s', lagging(ok, 5000, 30), ['warning']],
  ['one look', lagging(ok, 5000, 10), ['unknown']],
  ['not known', without(ok, 'postgres', 'positions'), ['unknown']],
])

const pool =
  (inUse: number, waiting: number, size = 1000, waitedPercent: number | null = 0) =>
  (snapshot: PipelineSnapshot) =>
    withSource(snapshot, 'postgres', 'workers', {
      workers: [worker('consumer-1', { pool: { size, inUse, waiting, acquireMs: 5, waitedPercent } }), feed],
    })
/** A pool of one connection, for which a query waited so much of the time. */
const waited = (percent: number) => pool(1, 1, 1, percent)

table('PoolSaturated', [
  ['at 70 %, with somebody waiting', pool(700, 1)(ok), []],
  ['at 70.1 %, with somebody waiting', pool(701, 1)(ok), ['warning']],
  ['full, with nobody waiting', pool(1000, 0)(ok), []],
  ['at 90.1 % for 55 s', looksOver(55, 5, pool(901, 1)), ['warning']],
  ['at 90.1 % for 60 s', looksOver(60, 5, pool(901, 1)), ['critical']],
  ['at 90 % for 60 s', looksOver(60, 5, pool(900, 1)), ['warning']],
  ['one connection in use, with somebody waiting for a moment', waited(2)(ok), []],
  ['one connection, waited for 70 % of the time', waited(70)(ok), []],
  ['one connection, waited for 70.1 % of the time', waited(70.1)(ok), ['warning']],
  ['one connection, waited for 100 % of the time for 55 s', looksOver(55, 5, waited(100)), ['warning']],
  ['one connection, waited for 90.1 % of the time for 60 s', looksOver(60, 5, waited(90.1)), ['critical']],
  ['one connection, waited for 90 % of the time for 60 s', looksOver(60, 5, waited(90)), ['warning']],
  ['one connection of a worker that reports no waits', pool(1, 1, 1, null)(ok), ['warning']],
  [
    'a worker that died while it waited',
    withWorkers(
      consumer,
      worker('a', { pool: { size: 1, inUse: 1, waiting: 1, acquireMs: 5, waitedPercent: 100 }, seenAgoSeconds: 31 }),
    ),
    [],
  ],
  ['a worker without a pool', withWorkers(worker('a', { pool: null })), ['unknown']],
  ['not known', without(ok, 'postgres', 'workers'), ['unknown']],
])

const rejectedOf = (rejected: number, processed: number) =>
  withWorkers(worker('consumer-1', { recent: { seconds: 300, processed, rejected } }), feed)

table('ErrorRateHigh', [
  ['at 0.99 %', rejectedOf(99, 10_000), []],
  ['at 1 %', rejectedOf(100, 10_000), []],
  ['at 1.01 %', rejectedOf(101, 10_000), ['warning']],
  ['at 5 %', rejectedOf(500, 10_000), ['warning']],
  ['at 5.01 %', rejectedOf(501, 10_000), ['critical']],
  ['rejected long ago', withSource(ok, 'postgres', 'positions', { rejected: 1e6 }), []],
  [
    'over the looks of five minutes',
    looksOver(300, 10, (snapshot, before) =>
      withSource(withSource(snapshot, 'postgres', 'workers', { workers: [] }), 'postgres', 'positions', {
        merged: 1e6 - before * 90,
        rejected: 1e5 - before * 10,
      }),
    ),
    ['critical'],
  ],
  [
    'letters, and nobody to tell of how many messages',
    withSource(withWorkers(), 'postgres', 'deadLetters', { recentByReason: { not_json: 1 } }),
    ['unknown'],
  ],
  ['not known', without(withWorkers(), 'postgres', 'deadLetters', 'workers'), ['unknown']],
])

const manyLetters = (count: number) =>
  withSource(ok, 'postgres', 'deadLetters', { recentByReason: { not_json: count } })

table('DeadLettersGrowing', [
  ['1000 within five minutes', manyLetters(1000), []],
  ['1001 within five minutes', manyLetters(1001), ['warning']],
  ['not known', without(ok, 'postgres', 'deadLetters'), ['unknown']],
])

const stale = (seconds: number, snapshot = ok) =>
  withSource(snapshot, 'postgres', 'kpi', { newestEventAtMs: nowMs - seconds * 1000 })
const symbolAt = (symbol: string, seconds: number) => ({
  symbol,
  newestEventAtMs: nowMs - seconds * 1000,
  windowStartMs: nowMs,
  close: '1',
})
const staleSymbol = (seconds: number, symbol = 'ILLIQ') =>
  withSource(ok, 'postgres', 'symbols', { symbols: [symbolAt('AAPL', 1), symbolAt(symbol, seconds)] })

table('KpiStale', [
  ['600 s old', stale(600), []],
  ['601 s old', stale(601), ['warning']],
  ['900 s old', stale(900), ['warning']],
  ['901 s old', stale(901), ['critical']],
  ['old, and nothing comes', stale(901, silent(901, feed)), []],
  ['old, nothing comes, and messages wait', lagging(stale(901, silent(901, feed)), 5), ['critical']],
  ['a replay of another day', stale(1e8, withWorkers(consumer, replaying())), []],
  ['a replay that has finished', stale(1e8, silent(1e4, replaying({ endedAtMs: nowMs - 1e7 }))), []],
  [
    'a replay that was stopped before its end',
    stale(1e8, silent(200, replaying({ stoppedAtMs: nowMs - 2e5, seenAgoSeconds: 200 }))),
    [],
  ],
  ['a replay that was killed', stale(1e8, silent(200, replaying({ seenAgoSeconds: 200 }))), []],
  [
    'a replay that was stopped, and others send since',
    stale(901, withWorkers(consumer, replaying({ stoppedAtMs: nowMs - 2e5, seenAgoSeconds: 200 }))),
    ['critical'],
  ],
  [
    'a replay that finished and stopped',
    stale(1e8, silent(1e4, replaying({ endedAtMs: nowMs - 1e7, stoppedAtMs: nowMs - 1e7, seenAgoSeconds: 1e4 }))),
    [],
  ],
  [
    'a replay that finished, and others send since',
    stale(901, withWorkers(consumer, replaying({ endedAtMs: nowMs - 1e5 }))),
    ['critical'],
  ],
  [
    'a replay beside a feed of now',
    stale(901, withWorkers(consumer, replaying(), worker('f2', { kind: 'feed' }))),
    ['critical'],
  ],
  ['rows 600 s behind a replay', lagging(stale(1e8, withWorkers(consumer, replaying())), 5, 600), []],
  ['rows 601 s behind a replay', lagging(stale(1e8, withWorkers(consumer, replaying())), 5, 601), ['warning']],
  ['rows 901 s behind a replay', lagging(stale(1e8, withWorkers(consumer, replaying())), 5, 901), ['critical']],
  ['one symbol 601 s old', staleSymbol(601), ['warning']],
  ['one symbol 600 s old', staleSymbol(600), []],
  ['one symbol 901 s old, without limits of its own', staleSymbol(901), ['warning']],
  ['one symbol that has left the feed', staleSymbol(72 * 3600 + 1), []],
  ['no rows yet', withSource(ok, 'postgres', 'kpi', { newestEventAtMs: null }), ['unknown']],
  ['not known', without(ok, 'postgres', 'kpi'), ['unknown']],
])

describe('limits of symbols', () => {
  const limits = thresholds({ freshnessBySymbol: 'BTC/*=30:60,ILLIQ=off' })

  it.each([
    ['BTC/USDT', 30, []],
    ['BTC/USDT', 31, ['warning']],
    ['BTC/USDT', 61, ['critical']],
    ['ILLIQ', 5000, []],
    ['OTHER', 601, ['warning']],
  ])('%s at %s s', (symbol, seconds, expected) => {
    expect(severitiesOf(judge(staleSymbol(seconds, symbol), limits), 'KpiStale')).toEqual(expected)
  })
})

describe('outside trading hours', () => {
  // It is a Saturday.
  const limits = thresholds({ tradingHours: '*=America/New_York Mon-Fri 09:30-16:00' })

  it.each([
    ['old rows', stale(5000)],
    ['a silent feed', silent(5000, feed)],
    ['a feed that was stopped', silent(5000, stopped)],
    ['an old symbol', staleSymbol(5000)],
  ])('%s is nobody’s trouble', (_what, snapshot) => {
    expect(causesOf(judge(snapshot, limits))).toEqual([])
  })

  it('a worker that is gone is one', () => {
    expect(causesOf(judge(group({ members: [] }), limits))).toEqual(['critical NoConsumer'])
  })
})

it('after the opening, the time before it does not count', () => {
  const opening = thresholds({ tradingHours: '*=UTC Sat 14:25-20:00' })
  expect(causesOf(judge(stale(50_000, silent(50_000)), opening))).toEqual([])
  const earlier = thresholds({ tradingHours: '*=UTC Sat 14:14-20:00' })
  expect(causesOf(judge(stale(50_000, silent(50_000)), earlier))).toEqual(['critical FeedSilent'])
})

it('trading hours are those of the day that is replayed', () => {
  // Now it is Saturday; the 14th of February 2024 was a Wednesday.
  const weekdays = thresholds({ tradingHours: '*=UTC Mon-Fri 09:00-17:00' })
  const behind = lagging(withWorkers(consumer, replaying()), 5, 901)
  expect(causesOf(judge(behind, weekdays))).toContain('critical KpiStale')
  const atNight = { eventAtMs: Date.UTC(2024, 1, 14, 18), isPaced: true }
  const closed = lagging(withWorkers(consumer, replaying({ replay: atNight })), 5, 901)
  expect(causesOf(judge(closed, weekdays))).not.toContain('critical KpiStale')
})

it('a replay of an old file is well, wherever it is in it', () => {
  const flood = { eventAtMs: Date.UTC(2024, 1, 14), isPaced: false }
  for (const more of [{}, { replay: flood }, { replay: { eventAtMs: null, isPaced: true } }, { endedAtMs: nowMs }]) {
    expect(judge(stale(6e7, withWorkers(consumer, replaying(more)))).verdict).toBe('ok')
  }
})

it('a replay as fast as it goes may have many messages on their way, and none that waits for long', () => {
  const flood = replaying({ replay: { eventAtMs: Date.UTC(2024, 1, 14), isPaced: false } })
  const severities = (lag: PipelineSnapshot) => severitiesOf(judge(lag), 'ConsumerLagHigh')
  expect(severities(lagging(withWorkers(consumer, flood), 5000, 29))).toEqual(['info'])
  expect(severities(lagging(withWorkers(consumer, flood), 5000, 30))).toEqual(['warning'])
  expect(severities(lagging(withWorkers(consumer, replaying()), 5000, 1))).toEqual(['warning'])
})
