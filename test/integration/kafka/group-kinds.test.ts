// Groups that hold members of the other protocol, or members of quite another kind.
import { joinGroupV7, syncGroupV5 } from '@platformatic/kafka'
import { describe, expect, it } from 'vitest'
import { GroupCoordinator } from '../../../src/kafka/group/group-coordinator.ts'
import { encodeAssignment, encodeSubscription } from '../../../src/kafka/group/group-subscription.ts'
import { GroupScene, until } from '../scenes/group-scene.ts'

const lost = (line: string) => line.includes('lost')

describe.concurrent('members of both protocols', () => {
  it('share; Kafka converts the group when the first of the other kind comes, and back when the last has gone', async () => {
    await using scene = await GroupScene.open({ partitions: 6 })
    const old = scene.join('old', { protocol: 'classic' })
    await scene.shares({ old: 6 })
    const modern = scene.join('modern', { protocol: 'auto' })
    await scene.shares({ old: 3, modern: 3 })
    expect(modern.member.protocol).toBe('consumer')
    const older = scene.join('older', { protocol: 'classic' })
    await scene.shares({ old: 2, older: 2, modern: 2 })
    await modern.leave()
    await scene.shares({ old: 3, older: 3 })
    await until(() => old.member.state, 'stable')
    await old.leave()
    const newer = scene.join('newer', { protocol: 'auto' })
    await scene.shares({ older: 3, newer: 3 })
    await older.leave()
    await scene.shares({ newer: 6 })
    expect(newer.member.protocol).toBe('consumer')
    expect(scene.overlaps).toEqual([])
    expect(scene.log.filter(lost)).toEqual([])
  })

  it('share, when the classic one comes second', async () => {
    await using scene = await GroupScene.open({ partitions: 4 })
    const modern = scene.join('modern', { protocol: 'consumer' })
    await scene.shares({ modern: 4 })
    scene.join('old', { protocol: 'classic' })
    await scene.shares({ old: 2, modern: 2 })
    await modern.leave()
    await scene.shares({ old: 4 })
    expect(scene.overlaps).toEqual([])
    expect(scene.log.filter(lost)).toEqual([])
  })
})

describe.concurrent('a classic group that Kafka will not convert', () => {
  it('gets a classic member, when we may choose', async () => {
    await using scene = await GroupScene.open({ partitions: 2 })
    // Kafka converts no group whose assignor keeps data of its own in the assignments.
    const plain = encodeAssignment(new Map([[scene.topic, [0, 1]]]))
    const withData = Buffer.concat([plain.subarray(0, -4), Buffer.from([0, 0, 0, 1, 7])])
    await occupy(scene, { type: 'consumer', protocol: 'range', assignment: withData })
    // The broker waits for everybody as long as the most patient member would.
    const a = scene.join('a', { protocol: 'auto', rebalanceTimeoutMs: 1000 })
    await scene.shares({ a: 2 })
    expect(a.member.protocol).toBe('classic')
  })

  it.each(['auto', 'consumer', 'classic'] as const)(
    'and that is not one of consumers refuses us: %s',
    async (protocol) => {
      await using scene = await GroupScene.open({ partitions: 2 })
      await occupy(scene, { type: 'connect', protocol: 'default', assignment: Buffer.from('tasks') })
      const a = scene.join('a', { protocol })
      await until(() => a.fatal.map((error) => error.code), ['KPI_GROUP_REFUSED'])
      expect(a.fatal[0]?.message).toContain(`'${scene.group}'`)
      expect(a.member.state).toBe('stopped')
      expect(scene.log).toEqual([])
    },
  )
})

/** Puts somebody else into the group, who owns all and does not come back when the group is shared out anew. */
async function occupy(scene: GroupScene, as: { type: string; protocol: string; assignment: Buffer }): Promise<void> {
  const coordinator = new GroupCoordinator(scene.cluster, scene.group)
  const sessionTimeoutMs = 30_000
  const rebalanceTimeoutMs = 1000
  const protocols = [{ name: as.protocol, metadata: encodeSubscription([scene.topic]) }]
  const options = { purpose: 'group' } as const
  const join = (memberId: string) =>
    coordinator.ask(
      options,
      joinGroupV7.api,
      scene.group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      null,
      as.type,
      protocols,
      null,
    )
  const { response: offered } = await join('')
  const { response: joined } = await join(offered?.memberId ?? '')
  const memberId = joined?.memberId ?? ''
  const assignments = [{ memberId, assignment: as.assignment }]
  const generation = joined?.generationId ?? -1
  const synced = await coordinator.ask(
    options,
    syncGroupV5.api,
    scene.group,
    generation,
    memberId,
    null,
    as.type,
    as.protocol,
    assignments,
  )
  expect(synced.refusal).toBeUndefined()
}
