import { describe, expect, it } from 'vitest'
import { DeadMemberRemoval } from '../../../src/consumer/dead-member-removal.ts'
import { KpiError } from '../../../src/errors.ts'
import { RecordingLog } from '../../recording-log.ts'
import { SimulatedClock } from '../../simulated-clock.ts'

const away = new KpiError('KPI_POSTGRES_UNREACHABLE', 'away')
const heard = new Map([
  ['w1', 61],
  ['w2', 1],
])

function scene(
  observations: (count: number) => ReadonlyMap<string, number>,
  asksOfTheGroup: (count: number) => void = () => {},
) {
  const clock = new SimulatedClock()
  const log = new RecordingLog()
  const removedAtMs: number[] = []
  const group = new Map([
    ['w1', 'm1'],
    ['w2', 'm2'],
  ])
  let count = 0
  let asked = 0
  const members = new DeadMemberRemoval(
    {
      lastHeardSeconds: async () => observations(count++),
      members: async () => {
        asksOfTheGroup(asked++)
        return group
      },
      remove: async (memberId) => {
        expect(memberId).toBe('m1')
        removedAtMs.push(clock.now())
        group.delete('w1')
        return 'removed'
      },
    },
    { clock, log },
  )
  return { clock, log, members, removedAtMs }
}

describe('silent members', () => {
  it('are taken out once, after the database has answered for a minute', async () => {
    const { clock, log, members, removedAtMs } = scene(() => heard)
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => clock.now() > startMs + 300_000, 400_000)
    members.stop()
    expect(removedAtMs.map((atMs) => atMs - startMs)).toEqual([60_000])
    expect(log.lines).toEqual(['warn: the worker w1 was silent for 61 s and still in the group: taken out of it'])
  })

  it('are taken out when the database never heard of them, and it has known the others for a minute', async () => {
    const { clock, log, members, removedAtMs } = scene(() => new Map([['w2', 1]]))
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => clock.now() > startMs + 300_000, 400_000)
    members.stop()
    expect(removedAtMs.map((atMs) => atMs - startMs)).toEqual([60_000])
    expect(log.lines).toEqual(['warn: the worker w1 was silent for 60 s and still in the group: taken out of it'])
  })

  it('that write their first row late are left alone', async () => {
    const { clock, members, removedAtMs } = scene(
      (count) => new Map([...(count < 4 ? [] : [['w1', 1] as const]), ['w2', 1]]),
    )
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => clock.now() > startMs + 300_000, 400_000)
    members.stop()
    expect(removedAtMs).toEqual([])
  })

  it('are left alone while nobody can be heard, and for a minute after', async () => {
    const { clock, members, removedAtMs } = scene((count) => {
      if (count === 4) throw away
      return heard
    })
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => removedAtMs.length > 0, 400_000)
    members.stop()
    expect(removedAtMs.map((atMs) => atMs - startMs)).toEqual([110_000])
  })

  it('are taken out as soon as Kafka answers, however long it did not', async () => {
    const { clock, members, removedAtMs } = scene(
      () => heard,
      (count) => {
        if (count < 9) throw away
      },
    )
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => removedAtMs.length > 0, 400_000)
    members.stop()
    expect(removedAtMs.map((atMs) => atMs - startMs)).toEqual([90_000])
  })
})
