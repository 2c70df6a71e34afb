import { describe, expect, it } from 'vitest'
import { SilentMembers } from '../../../src/consumer/silent-members.ts'
import { KpiError } from '../../../src/errors.ts'
import type { MemberIdentity } from '../../../src/kafka/group-membership.ts'
import type { SilentWorker } from '../../../src/store/silent-workers.ts'
import { RecordingLog } from '../../recording-log.ts'
import { SimulatedClock } from './simulated-clock.ts'

const away = new KpiError('KPI_POSTGRES_UNREACHABLE', 'away')
const gone: SilentWorker = { workerId: 'w1', silentSeconds: 61 }
const member: MemberIdentity = { protocol: 'consumer', memberId: 'm1' }

function scene(looks: (count: number) => readonly SilentWorker[], asksOfTheGroup: (count: number) => void = () => {}) {
  const clock = new SimulatedClock(() => 0.5)
  const log = new RecordingLog()
  const expelledAtMs: number[] = []
  const group = new Map([
    ['w1', member],
    ['w2', { ...member, memberId: 'm2' }],
  ])
  let count = 0
  let asked = 0
  const members = new SilentMembers(
    {
      silentWorkers: async () => looks(count++),
      members: async () => {
        asksOfTheGroup(asked++)
        return group
      },
      expel: async ({ memberId }) => {
        expect(memberId).toBe('m1')
        expelledAtMs.push(clock.now())
        group.delete('w1')
        return 'expelled'
      },
    },
    { clock, log },
  )
  return { clock, log, members, expelledAtMs }
}

describe('silent members', () => {
  it('are taken out once, after the database has answered for a minute', async () => {
    const { clock, log, members, expelledAtMs } = scene(() => [gone])
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => clock.now() > startMs + 300_000, 400_000)
    members.stop()
    expect(expelledAtMs.map((atMs) => atMs - startMs)).toEqual([60_000])
    expect(log.lines).toEqual(['warn: the worker w1 was silent for 61 s and still in the group: taken out of it'])
  })

  it('are left alone while nobody can be heard, and for a minute after', async () => {
    const { clock, members, expelledAtMs } = scene((count) => {
      if (count === 4) throw away
      return [gone]
    })
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => expelledAtMs.length > 0, 400_000)
    members.stop()
    expect(expelledAtMs.map((atMs) => atMs - startMs)).toEqual([110_000])
  })

  it('are taken out as soon as Kafka answers, however long it did not', async () => {
    const { clock, members, expelledAtMs } = scene(
      () => [gone],
      (count) => {
        if (count < 3) throw away
      },
    )
    const startMs = clock.now()
    members.start()
    await clock.runUntil(() => expelledAtMs.length > 0, 400_000)
    members.stop()
    expect(expelledAtMs.map((atMs) => atMs - startMs)).toEqual([90_000])
  })
})
