// A group whose coordinator gives partitions to nobody: it is deleted under its members, who join again.
import { expect, it } from 'vitest'
import { connectStuckGroupPorts, StuckGroup } from '../../../src/consumer/stuck-group.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { RecordingLog } from '../../recording-log.ts'
import { GroupScene } from '../scenes/group-scene.ts'
import { until } from '../scenes/until.ts'

it('begins anew, and every partition has one owner again', async () => {
  await using scene = await GroupScene.open({ partitions: 4 })
  // A member that vanishes while partitions are on their way to it: they are nobody's until its session ends.
  const living = scene.join('living', { protocol: 'consumer' })
  await scene.shares({ living: 4 })
  living.holds = true
  const dead = scene.join('dead', { protocol: 'consumer' })
  await living.hears('revoked')
  await dead.die()
  living.finish()
  const log = new RecordingLog()
  const ports = connectStuckGroupPorts(scene)
  const found = await until('idle partitions', ports.look, (look) => (look?.idle.length ?? 0) > 0)
  expect(found).toMatchObject({ idle: { length: 2 }, members: { length: 2 } })
  const stuck = new StuckGroup(ports, { clock: systemClock, log, idleAfterSeconds: 2 })
  stuck.start()
  await living.hears('lost')
  await scene.shares({ living: 4 })
  stuck.stop()
  expect(log.lines).toEqual([
    expect.stringMatching(
      /^warn: the group has given partitions \d, \d to nobody for \d s: its members were sent away, and it begins anew$/,
    ),
  ])
  expect(scene.overlaps).toEqual([])
})

it('is let alone where its members assign partitions themselves', async () => {
  await using scene = await GroupScene.open({ partitions: 4 })
  scene.join('classic', { protocol: 'classic' })
  await scene.shares({ classic: 4 })
  expect(await connectStuckGroupPorts(scene).look()).toBeUndefined()
})
