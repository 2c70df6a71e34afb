import type { PipelineSnapshot } from '../../../../src/observe/snapshot.ts'
import { nowMs, without, withSource, worker } from '../scene.ts'
import { feed, ok, replaying, silent, stopped, table } from './cases.ts'

const failed = worker('feed-1', {
  kind: 'feed',
  workerState: 'failed',
  stoppedAtMs: nowMs - 2000,
  failure: 'prices.csv, line 7: no price',
})
const lost = worker('feed-1', { kind: 'feed', seenAgoSeconds: 60 })
const away = worker('feed-1', { kind: 'feed', workerState: 'kafka unavailable' })
const awayByEarlierVersion = worker('feed-1', { kind: 'feed', workerState: 'kafka away' })
const atEnd = worker('feed-1', { kind: 'feed', workerState: 'at its end' })
const doneAndGone = worker('feed-1', {
  kind: 'feed',
  endedAtMs: nowMs - 901_000,
  stoppedAtMs: nowMs - 901_000,
  seenAgoSeconds: 901,
})

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
  ['cannot reach Kafka, reported by a feed of an earlier version', silent(31, awayByEarlierVersion), ['warning']],
  ['at the end of its file', silent(901, atEnd), ['info']],
  ['stopped at the end of its file', silent(901, doneAndGone), ['info']],
  ['a replay whose next line is not due yet', silent(901, replaying()), ['info']],
  ['a replay that was killed', silent(31, replaying({ seenAgoSeconds: 31 })), ['warning']],
  ['an empty topic', withSource(ok, 'kafka', 'log', { partitions: [] }), ['unknown']],
  ['not known', without(ok, 'kafka', 'log'), ['unknown']],
])
