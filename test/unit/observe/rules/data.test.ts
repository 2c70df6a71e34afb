import { describe, expect, it } from 'vitest'
import type { PipelineSnapshot } from '../../../../src/observe/snapshot.ts'
import {
  causesOf,
  judge,
  lagging,
  looksOver,
  nowMs,
  severitiesOf,
  thresholds,
  without,
  withSource,
  worker,
} from '../scene.ts'
import { consumer, feed, group, ok, replaying, silent, stopped, table, withWorkers } from './cases.ts'

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
