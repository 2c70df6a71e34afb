import { describe, expect, it } from 'vitest'
import { type GroupObservation, StuckGroup } from '../../../src/consumer/stuck-group.ts'
import { KpiError } from '../../../src/errors.ts'
import type { MemberIdentity } from '../../../src/kafka/group/group-membership.ts'
import { RecordingLog } from '../../recording-log.ts'
import { SimulatedClock } from './simulated-clock.ts'

const away = new KpiError('KPI_KAFKA_UNREACHABLE', 'away')
const members: MemberIdentity[] = [{ protocol: 'consumer', memberId: 'm1' }]
const healthy: GroupObservation = { epochs: { group: 7, assignment: 7 }, members, idle: [] }
const idle: GroupObservation = { ...healthy, idle: [8, 9] }
const contradicting: GroupObservation = { ...healthy, epochs: { group: 141, assignment: 150 } }

/** Looks every ten seconds for five minutes. @returns Seconds after the start at which the group was begun anew. */
async function reset(
  observations: (seconds: number) => GroupObservation | undefined,
  resetGroup: () => void = () => undefined,
): Promise<{ atSeconds: number[]; lines: readonly string[] }> {
  const clock = new SimulatedClock(() => 0.5)
  const log = new RecordingLog()
  const startMs = clock.now()
  const seconds = () => (clock.now() - startMs) / 1000
  const atSeconds: number[] = []
  const group = new StuckGroup(
    {
      look: async () => observations(seconds()),
      resetGroup: async (sent) => {
        expect(sent).toBe(members)
        atSeconds.push(seconds())
        resetGroup()
      },
    },
    { clock, log },
  )
  group.start()
  await clock.runUntil(() => seconds() > 300, 400_000)
  group.stop()
  return { atSeconds, lines: log.lines }
}

describe('a group begins anew', () => {
  it('when it has given partitions to nobody for longer than they take to be handed over', async () => {
    let isStuck = true
    const { atSeconds, lines } = await reset(
      () => (isStuck ? idle : healthy),
      () => {
        isStuck = false
      },
    )
    expect(atSeconds).toEqual([50])
    expect(lines).toEqual([
      'warn: the group has given partitions 8, 9 to nobody for 50 s: its members were sent away, and it begins anew',
    ])
  })

  it('when it holds an assignment of a later epoch twice in a row (Kafka 4.4.0; chaos, seed 62)', async () => {
    const { atSeconds, lines } = await reset((seconds) => (seconds < 25 ? contradicting : healthy))
    expect(atSeconds).toEqual([10])
    expect(lines).toEqual([
      'warn: the group is at epoch 141, with an assignment of epoch 150: its members were sent away, and it begins anew',
    ])
  })

  it('again, when the broker would not do it', async () => {
    let tries = 0
    const { atSeconds, lines } = await reset(
      () => (tries < 2 ? idle : healthy),
      () => {
        if (++tries === 1) throw away
      },
    )
    expect(atSeconds).toEqual([50, 110])
    expect(lines[0]).toBe(
      'warn: the group has given partitions 8, 9 to nobody for 50 s, and cannot begin anew for now: away',
    )
  })
})

it.each<[string, (seconds: number) => GroupObservation | undefined]>([
  ['nothing is wrong', () => healthy],
  ['its members assign partitions themselves', () => undefined],
  ['there is nobody in it', () => ({ ...idle, members: [] })],
  ['partitions are handed over within their time', (seconds) => (seconds % 60 < 45 ? idle : healthy)],
  ['each look finds it at another epoch', (seconds) => ({ ...idle, epochs: { group: seconds, assignment: 1 } })],
  ['an assignment is late', () => ({ ...healthy, epochs: { group: 8, assignment: 7 } })],
  ['one look alone contradicts itself', (seconds) => (seconds % 20 === 0 ? contradicting : healthy)],
  [
    'it cannot be looked at in between',
    (seconds) => {
      if (seconds % 40 === 0) throw away
      return idle
    },
  ],
])('a group is left alone while %s', async (_, observations) => {
  expect((await reset(observations)).atSeconds).toEqual([])
})
