// Each rule with values just under, at and over its thresholds, and without knowing; the others are in rules/.
import { expect, it } from 'vitest'
import { ruleNames } from '../../../src/observe/finding.ts'
import { feed, ok, table } from './rules/cases.ts'
import { dead, healthy, judge, looksOver, nowMs, topicId, without, withSource, worker } from './scene.ts'

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
  ['a broker that does not report it', withSource(ok, 'kafka', 'disk', { volumes: [] }), ['unknown']],
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
