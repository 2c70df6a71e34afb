// One trouble is told once, by its cause.
import { describe, expect, it } from 'vitest'
import { causesOf, dead, healthy, judge, lagging, nowMs, without, withSource, worker } from './scene.ts'

const ok = healthy()
const feed = worker('feed-1', { kind: 'feed' })

/** As it is when nothing was merged for an hour: old rows, a lag, positions that stand still. */
const wrecked = (() => {
  const behind = lagging(ok, 5000, 3600)
  const { positions } = behind.postgres
  const partitions = positions.state === 'ok' ? positions.partitions : []
  const still = withSource(behind, 'postgres', 'positions', {
    partitions: partitions.map((p) => ({ ...p, movedAtMs: nowMs - 3_600_000 })),
  })
  return withSource(still, 'postgres', 'kpi', { newestEventAtMs: nowMs - 3_600_000 })
})()

const noMembers = (snapshot = wrecked) => withSource(snapshot, 'kafka', 'group', { groupState: 'Empty', members: [] })

describe.each([
  ['Kafka dead', dead(wrecked, 'kafka'), ['critical KafkaUnreachable'], 'kafka'],
  ['PostgreSQL dead', dead(wrecked, 'postgres'), ['critical PostgresUnreachable'], 'postgres'],
  [
    'the topic deleted',
    without(withSource(noMembers(), 'kafka', 'topic', { isThere: false, topicId: '', partitions: [] }), 'kafka', 'log'),
    ['critical TopicMissing'],
    'kafka',
  ],
  [
    'a column dropped',
    withSource(noMembers(), 'postgres', 'schema', { missingParts: ['kpi_market_prices.vwap'] }),
    ['critical SchemaInvalid'],
    'postgres',
  ],
  ['no consumer', noMembers(), ['critical NoConsumer'], 'consumer'],
  [
    'a consumer killed',
    withSource(noMembers(), 'postgres', 'workers', { workers: [worker('a', { seenAgoSeconds: 60 }), feed] }),
    ['critical NoConsumer'],
    'consumer',
  ],
  ['a consumer stuck', wrecked, ['critical ConsumerStalled'], 'consumer'],
  [
    'the feed killed',
    (() => {
      const { log } = ok.kafka
      const partitions = log.state === 'ok' ? log.partitions : []
      const silent = withSource(ok, 'kafka', 'log', {
        partitions: partitions.map((p) => ({ ...p, newestRecordAtMs: nowMs - 1_000_000 })),
      })
      const alone = { workers: [worker('consumer-1'), worker('f', { kind: 'feed', seenAgoSeconds: 1000 })] }
      return withSource(withSource(silent, 'postgres', 'workers', alone), 'postgres', 'kpi', {
        newestEventAtMs: nowMs - 1_000_000,
      })
    })(),
    ['critical FeedSilent'],
    'feed',
  ],
  [
    "the feed's clock ahead",
    withSource(
      withSource(
        withSource(ok, 'postgres', 'deadLetters', { recentByReason: { future_timestamp: 5000 } }),
        'postgres',
        'workers',
        { workers: [worker('a', { recent: { seconds: 300, processed: 5000, rejected: 5000 } }), feed] },
      ),
      'postgres',
      'kpi',
      { newestEventAtMs: nowMs - 1_000_000 },
    ),
    ['critical ClockSkew'],
    'feed',
  ],
  [
    'bad messages',
    withSource(
      withSource(ok, 'postgres', 'deadLetters', { recentByReason: { not_json: 5000 } }),
      'postgres',
      'workers',
      { workers: [worker('a', { recent: { seconds: 300, processed: 50_000, rejected: 5000 } }), feed] },
    ),
    ['critical ErrorRateHigh'],
    'feed',
  ],
])('%s', (_what, snapshot, causes, stage) => {
  it('is told once', () => {
    const assessment = judge(snapshot)
    expect(causesOf(assessment)).toEqual(causes)
    expect(assessment).toMatchObject({ verdict: 'critical', firstBrokenStage: stage })
  })
})

it('a warning hides nothing critical', () => {
  const slow = withSource(lagging(ok, 5000), 'postgres', 'kpi', { newestEventAtMs: nowMs - 901_000 })
  expect(causesOf(judge(slow))).toEqual(['critical KpiStale', 'warning ConsumerLagHigh'])
  const slower = withSource(lagging(ok, 5000), 'postgres', 'kpi', { newestEventAtMs: nowMs - 601_000 })
  expect(causesOf(judge(slower))).toEqual(['warning ConsumerLagHigh'])
})

it('of two troubles the one that comes first in the way of the data is named', () => {
  expect(judge(dead(dead(ok, 'kafka'), 'postgres'))).toMatchObject({ firstBrokenStage: 'kafka' })
})

it('the dead feed does not explain the dead consumer', () => {
  const both = withSource(ok, 'postgres', 'workers', {
    workers: [worker('a', { seenAgoSeconds: 60 }), worker('b'), worker('f', { kind: 'feed', seenAgoSeconds: 60 })],
  })
  expect(causesOf(judge(both))).toEqual(['warning WorkerDown', 'warning WorkerDown'])
})

it('where nothing is wrong and something cannot be seen, the verdict is that', () => {
  const slow = without(ok, 'postgres', 'kpi')
  expect(judge(slow)).toMatchObject({ verdict: 'unknown', firstBrokenStage: 'kpi' })
  expect(judge(without(ok, 'postgres', 'workers')).verdict).toBe('ok')
})

it('an assessment is made of plain values', () => {
  const assessment = judge(dead(ok, 'postgres'))
  expect(JSON.parse(JSON.stringify(assessment))).toEqual(assessment)
})
