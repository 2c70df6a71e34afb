import { expect, it } from 'vitest'
import { Lane, type LaneOptions } from '../../../src/consumer/lane.ts'
import { KpiError } from '../../../src/errors.ts'
import { noEpoch } from '../../../src/kpi/leader-epochs.ts'
import { createLogger } from '../../../src/log.ts'
import type { Position } from '../../../src/store/positions/positions.ts'
import { SimulatedClock } from '../../simulated-clock.ts'
import { SimulatedLog } from './simulated-log.ts'

const reduction = {
  windowSeconds: 300,
  allowedLatenessSeconds: 120,
  maxFutureSeconds: 1e6,
  decimals: 8,
  payloadsPerMinute: 10,
}
const unavailable = () => new KpiError('KPI_POSTGRES_UNREACHABLE', 'the simulated database is unavailable')
const position = (partition: number): Position => ({
  partition,
  firstOffset: 0,
  nextOffset: 0,
  watermarkUs: -1,
  ...noEpoch,
})

function startLane(options: Partial<LaneOptions>) {
  const clock = new SimulatedClock({ random: () => 0.5 })
  const lane = new Lane({
    batchSize: 1,
    batchWaitMs: 10,
    reduction,
    commit: async () => undefined,
    readPositions: async (partitions) => partitions.map(position),
    reposition: () => undefined,
    unknown: () => undefined,
    committed: () => undefined,
    fatal: () => undefined,
    log: createLogger({ level: 'silent', format: 'json' }),
    clock,
    ...options,
  })
  lane.start()
  lane.open(position(0))
  const messages = new SimulatedLog(() => 0.5, { partitions: 1, messages: 40 })
  const take = (from: number) => {
    const fetched = messages.read(0, from, 2)
    if (fetched === undefined) throw new Error('the simulated log is too short')
    lane.take(fetched)
  }
  return { lane, clock, take }
}

it('a lane whose positions cannot be read again is backed up until they are', async () => {
  let isAvailable = false
  const { lane, clock } = startLane({
    readPositions: async (partitions) => {
      if (!isAvailable) throw unavailable()
      return partitions.map(position)
    },
  })
  lane.restart()
  expect(await clock.runUntil(() => lane.isBackedUp, 1000)).toBe(true)
  expect(lane.hasRoom).toBe(false)
  isAvailable = true
  expect(await clock.runUntil(() => lane.hasRoom, 10_000)).toBe(true)
  expect(lane.isBackedUp).toBe(false)
})

it('a lane that is stopped while its commit fails ends at once', async () => {
  const { promise: answer, reject: fail } = Promise.withResolvers<void>()
  let commits = 0
  const { lane, clock, take } = startLane({
    commit: () => {
      commits += 1
      return answer
    },
  })
  take(0)
  await clock.runUntil(() => commits === 1, 1000)
  let isStopped = false
  void lane.stop().then(() => {
    isStopped = true
  })
  fail(unavailable())
  expect(await clock.runUntil(() => isStopped, 0)).toBe(true)
  expect(commits).toBe(1)
})

it('a lane reads no positions before the commit that a reset overtook has ended', async () => {
  const { promise: answer, resolve: succeed } = Promise.withResolvers<void>()
  const events: string[] = []
  const { lane, clock, take } = startLane({
    commit: async () => {
      events.push('commit begins')
      await answer
      events.push('commit ends')
    },
    readPositions: async (partitions) => {
      events.push('positions are read')
      return partitions.map(position)
    },
  })
  take(0)
  await clock.runUntil(() => events.length === 1, 1000)
  lane.restart()
  expect(await clock.runUntil(() => events.length > 1, 1000)).toBe(false)
  succeed()
  await clock.runUntil(() => lane.hasRoom, 1000)
  expect(events).toEqual(['commit begins', 'commit ends', 'positions are read'])
})
