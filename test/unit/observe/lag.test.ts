// How a partition's lag and status follow from its log, its position and the group: what made other tools cry wolf.
import { describe, expect, it } from 'vitest'
import type { PartitionLog, PipelineSnapshot, PositionState } from '../../../src/observe/snapshot.ts'
import { healthy, judge, nowMs, without, withSource, worker } from './scene.ts'

interface Stand {
  readonly log?: Partial<PartitionLog>
  /** Null for a partition that no worker has opened. */
  readonly position?: Partial<PositionState> | null
}

function standing({ log, position }: Stand, atMs = nowMs): PipelineSnapshot {
  const snapshot = healthy(atMs)
  const times = { newestRecordAtMs: atMs, nextRecordAtMs: null }
  const first = { partition: 0, startOffset: 0, endOffset: 1000, openTransaction: null, ...times, ...log }
  const held = { partition: 0, nextOffset: 1000, movedAtMs: atMs, idleSinceMs: null, ...position }
  return withSource(withSource(snapshot, 'kafka', 'log', { partitions: [first] }), 'postgres', 'positions', {
    partitions: position === null ? [] : [held],
  })
}

const first = (observations: PipelineSnapshot | PipelineSnapshot[]) => judge(observations).partitions[0]
const longAgo = nowMs - 3_600_000

it.each([
  ['all read', {}, 0],
  ['some to read', { position: { nextOffset: 990 } }, 10],
  [
    'a log that begins behind the position, emptied by retention (redpanda#30624)',
    { log: { startOffset: 1000 }, position: { nextOffset: 5 } },
    0,
  ],
  ['a log that begins behind the position', { log: { startOffset: 900 }, position: { nextOffset: 5 } }, 100],
  ['a position past the end', { position: { nextOffset: 1005 } }, 0],
])('lag of %s', (_what, stand, lag) => {
  expect(first(standing(stand))?.lagMessages).toBe(lag)
})

describe('a position that is missing (Burrow#45, #496)', () => {
  it('makes the lag unknown, neither 0 nor all there ever was', () => {
    const snapshot = standing({ position: null, log: { nextRecordAtMs: 1000 } })
    expect(first(snapshot)).toMatchObject({ status: 'UNKNOWN', lagMessages: null, waitingSeconds: null })
    expect(judge(snapshot).measures.lagMessages).toMatchObject({ state: 'unknown' })
  })

  it('is none where there is nothing to read', () => {
    expect(first(standing({ position: null, log: { startOffset: 7, endOffset: 7 } }))).toMatchObject({
      status: 'OK',
      lagMessages: 0,
    })
  })
})

describe('a topic without anything new (Burrow#38, #303)', () => {
  it('is not stopped, however long ago the position moved', () => {
    const idle = standing({ position: { movedAtMs: longAgo }, log: { newestRecordAtMs: longAgo } })
    expect(first(idle)).toMatchObject({ status: 'OK', waitingSeconds: 0 })
  })

  it('is not stalled when the next message comes', () => {
    const next = { log: { endOffset: 1001, nextRecordAtMs: nowMs - 50 }, position: { movedAtMs: longAgo } }
    expect(first(standing(next))?.status).toBe('OK')
  })

  it('is not stalled either where producers write the times', () => {
    const old = { log: { endOffset: 1001, nextRecordAtMs: longAgo }, position: { movedAtMs: longAgo } }
    const snapshot = withSource(standing(old), 'kafka', 'log', { isAppendTime: false })
    expect(first(snapshot)?.status).toBe('OK')
  })
})

it('is stalled where producers write the times, when looks have seen it for a minute', () => {
  const stand = { log: { endOffset: 1001, nextRecordAtMs: longAgo }, position: { movedAtMs: longAgo } }
  const at = (secondsAgo: number) =>
    withSource(standing(stand, nowMs - secondsAgo * 1000), 'kafka', 'log', { isAppendTime: false })
  expect(first([at(60), at(30), at(0)])?.status).toBe('OK')
  expect(first([at(61), at(30), at(0)])?.status).toBe('STALL')
})

it('is judged by the clock of the database, where that one is ahead', () => {
  const stand = { log: { endOffset: 1001, nextRecordAtMs: nowMs - 61_000 }, position: { movedAtMs: nowMs } }
  expect(first(standing(stand))?.status).toBe('OK')
  const ahead = withSource(standing(stand), 'postgres', 'server', { clockAheadMs: 61_000 })
  expect(first(ahead)?.status).toBe('STALL')
})

it('of a dead group stays in sight, and is not 0 (kafka-lag-exporter#63)', () => {
  const behind = standing({ position: { nextOffset: 400 } })
  const left = withSource(behind, 'kafka', 'group', { groupState: 'Dead', members: [] })
  expect(first(left)).toMatchObject({ status: 'STOP', lagMessages: 600 })
})

it('is no trouble while the group shares its partitions out (kafkajs#452)', () => {
  const busy = withSource(standing({ position: { nextOffset: 990 } }), 'kafka', 'group', {
    isRebalancing: true,
    members: [],
  })
  expect(first(busy)).toMatchObject({ status: 'OK', lagMessages: 10 })
})

it('that is tiny is never called growing (Burrow#223)', () => {
  const observations = Array.from({ length: 61 }, (_, index) => {
    const position = { nextOffset: 10_000 + index * 100 }
    const log = { endOffset: 10_000 + index * 100 + index }
    return standing({ position, log }, nowMs - (60 - index) * 10_000)
  })
  expect(first(observations)).toMatchObject({ status: 'OK', lagMessages: 60 })
})

it('that is high and never shrinks is called growing', () => {
  const observations = Array.from({ length: 31 }, (_, index) => {
    const position = { nextOffset: 10_000 + index * 100 }
    const log = { endOffset: 10_000 + index * 100 + 200 + index }
    return standing({ position, log }, nowMs - (30 - index) * 10_000)
  })
  expect(first(observations)).toMatchObject({ status: 'WARN', lagMessages: 230 })
})

it.each([
  [
    'messages that were deleted before they were read',
    { log: { startOffset: 1000 }, position: { nextOffset: 5 } },
    /995 messages were deleted/,
  ],
  ['a log that was cut', { position: { nextOffset: 1005 } }, /ends at 1000, before the position 1005/],
])('stops a worker: %s', (_what, stand, why) => {
  const assessment = judge(standing(stand))
  expect(assessment.partitions[0]).toMatchObject({ status: 'STOP', why: expect.stringMatching(why) })
  expect(assessment.findings.find(({ rule }) => rule === 'ConsumerStalled')?.severity).toBe('critical')
})

it('is unknown while the positions are, or are those of an earlier topic', () => {
  expect(first(without(healthy(), 'postgres', 'positions'))?.status).toBe('UNKNOWN')
  const recreated = withSource(healthy(), 'kafka', 'topic', { topicId: 'another' })
  expect(first(recreated)).toMatchObject({ status: 'UNKNOWN', lagMessages: null })
})

describe('an open transaction of another application', () => {
  const open = (sinceMs: number | null, startOffset = 1000) => ({
    openTransaction: { startOffset, producerId: 4001, transactionalId: 'orders', sinceMs },
  })

  it('hides nothing: what waits for it is lag', () => {
    const waiting = standing({ log: { endOffset: 1050, ...open(nowMs - 5000) } })
    expect(first(waiting)).toMatchObject({ status: 'OK', lagMessages: 50, blockedMessages: 50, blockedSeconds: 5 })
    const { topic } = waiting.kafka
    const partitions = topic.state === 'ok' ? topic.partitions.slice(0, 1) : []
    const { measures } = judge(withSource(waiting, 'kafka', 'topic', { partitions }))
    expect(measures.lagMessages).toEqual({ state: 'ok', value: 50 })
    expect(measures.readableLagMessages).toEqual({ state: 'ok', value: 0 })
  })

  it('blocks a partition once it has been open for long, and stalls none', () => {
    const old = {
      log: { endOffset: 1050, nextRecordAtMs: longAgo, ...open(longAgo) },
      position: { movedAtMs: longAgo },
    }
    expect(first(standing(old))).toMatchObject({ status: 'BLOCKED', blockedSeconds: 3600 })
    const before = { ...old, position: { nextOffset: 990, movedAtMs: longAgo } }
    expect(first(standing(before))).toMatchObject({ status: 'STALL', lagMessages: 60, blockedMessages: 50 })
  })

  it('has been open for as long as it was seen to be, where no broker tells', () => {
    const at = (seconds: number, startOffset: number) =>
      standing(
        { log: { endOffset: 1050, ...open(null, startOffset) }, position: { nextOffset: startOffset } },
        nowMs - seconds * 1000,
      )
    expect(first(at(0, 1000))).toMatchObject({ blockedSeconds: 0 })
    const observations = [at(200, 1000), at(100, 1010), at(40, 1010), at(0, 1010)]
    expect(first(observations)).toMatchObject({ status: 'BLOCKED', blockedMessages: 40, blockedSeconds: 100 })
  })
})

describe('a log that its worker reports as another one than it read', () => {
  const diverged = (offset: number, stoppedAtMs: number | null = null) =>
    withSource(standing({ log: { endOffset: 2500 }, position: { nextOffset: 2000 } }), 'postgres', 'workers', {
      workers: [
        worker('w', {
          stoppedAtMs,
          strandedPartitions: [0],
          divergedPartitions: [{ partition: 0, offset, agreesTo: 1000 }],
        }),
      ],
    })

  it('is stopped, and names where and how much is gone', () => {
    expect(first(diverged(2000))).toMatchObject({
      status: 'STOP',
      why: "the log was cut at 1000 and written again, and 1000 messages before the position 2000 are gone: see 'market-kpi offsets show'",
    })
    const stalled = judge(diverged(2000)).findings.filter(({ rule }) => rule === 'ConsumerStalled')
    expect(stalled).toMatchObject([
      { severity: 'critical', summary: expect.stringContaining('the log was cut at 1000') },
    ])
  })

  it('is read again once the position has moved, or the worker has ended', () => {
    expect(first(diverged(1900))?.status).toBe('OK')
    expect(first(diverged(2000, nowMs))?.status).toBe('OK')
  })
})
