import type { PipelineSnapshot, WorkerState } from '../../../../src/observe/snapshot.ts'
import { dead, healthy, lagging, looksOver, nowMs, without, withSource, worker } from '../scene.ts'
import { consumer, feed, group, member, ok, table, withWorkers } from './cases.ts'

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
  ['a position that moved back', [lagging(healthy(nowMs - 10_000), 10), lagging(ok, 300)], ['warning']],
  ['a position that moved back, and advanced again', [lagging(healthy(nowMs - 10_000), 10), lagging(ok, 5)], []],
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
