// Members that come, go and share a topic's partitions, by the classic protocol.
import { expect, it } from 'vitest'
import { committedOffsets } from '../../../src/kafka/group/committed-offsets.ts'
import { GroupScene, until } from '../scenes/group-scene.ts'

/** A clean leave and a new partition take effect at the next heartbeat. */
const handoverMs = 3000

it.concurrent('one member gets everything', async () => {
  await using scene = await GroupScene.open({ partitions: 3 })
  const a = scene.join('a')
  expect(a.member.state).toBe('joining')
  await scene.shares({ a: 3 })
  await until(() => a.member.state, 'stable')
  expect(a.member.partitions).toEqual([0, 1, 2])
  expect(scene.log).toEqual(['a assigned 0,1,2'])
})

it.concurrent('two share, a third joins and leaves, and no partition ever has two owners', async () => {
  await using scene = await GroupScene.open({ partitions: 6 })
  scene.join('a')
  await scene.shares({ a: 6 })
  scene.join('b')
  await scene.shares({ a: 3, b: 3 })
  const c = scene.join('c')
  await scene.shares({ a: 2, b: 2, c: 2 })
  await c.leave()
  await scene.shares({ a: 3, b: 3 })
  expect(scene.overlaps).toEqual([])
  expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
})

it.concurrent('several that join at once share evenly', async () => {
  await using scene = await GroupScene.open({ partitions: 6 })
  for (const name of ['a', 'b', 'c']) scene.join(name)
  await scene.shares({ a: 2, b: 2, c: 2 })
  expect(scene.overlaps).toEqual([])
})

it.concurrent('more members than partitions: some wait, and take over', async () => {
  await using scene = await GroupScene.open({ partitions: 1 })
  scene.join('a')
  await scene.shares({ a: 1 })
  const b = scene.join('b')
  await until(() => b.member.state, 'stable')
  await until(() => scene.owners()[0] !== '', true)
  const owner = scene.members.find((member) => member.owned.has(0))
  const other = scene.members.find((member) => member !== owner)
  await owner?.leave()
  await scene.shares({ [other?.name ?? '']: 1 })
  expect(scene.overlaps).toEqual([])
})

it.concurrent('a clean leave hands over within seconds', async () => {
  await using scene = await GroupScene.open({ partitions: 6 })
  const a = scene.join('a')
  scene.join('b')
  await scene.shares({ a: 3, b: 3 })
  const leftAtMs = performance.now()
  await a.leave()
  await scene.shares({ b: 6 }, { timeout: handoverMs - (performance.now() - leftAtMs), interval: 10 })
  expect(a.member.state).toBe('stopped')
  expect(a.member.partitions).toEqual([])
})

it.concurrent('partitions that are added reach somebody', async () => {
  await using scene = await GroupScene.open({ partitions: 2 })
  const a = scene.join('a')
  scene.join('b')
  await scene.shares({ a: 1, b: 1 })
  await scene.addPartitions(6)
  await scene.shares({ a: 3, b: 3 })
  expect(scene.overlaps).toEqual([])
  await a.leave()
  await scene.addPartitions(7)
  await scene.shares({ b: 7 })
})

it.concurrent('offsets can be seen by other tools', async () => {
  await using scene = await GroupScene.open({ partitions: 3 })
  const a = scene.join('a')
  await expect(a.member.commit(new Map([[0, 1]]))).rejects.toMatchObject({ code: 'KPI_KAFKA_REQUEST' })
  await scene.shares({ a: 3 })
  await a.member.commit(
    new Map([
      [0, 17],
      [2, 4_000_000_000],
    ]),
  )
  const committed = await committedOffsets(scene.cluster, scene.metadata, scene.group)
  expect([...committed].sort()).toEqual([
    [0, 17],
    [2, 4_000_000_000],
  ])
})

it.concurrent('nobody else gets a partition before its owner has finished with it, and the owner stays a member meanwhile', async () => {
  const sessionTimeoutMs = 2000
  await using scene = await GroupScene.open({ partitions: 2, sessionTimeoutMs })
  const a = scene.join('a')
  await scene.shares({ a: 2 })
  a.holds = true
  const b = scene.join('b')
  await a.hears('revoked')
  expect(a.member.state).toBe('rebalancing')
  // Longer than a session: without heartbeats meanwhile the broker would throw it out.
  const longAfterMs = performance.now() + 2 * sessionTimeoutMs
  await until(() => performance.now() > longAfterMs, true)
  expect(a.member.partitions).toEqual([0, 1])
  expect(b.owned.size).toBe(0)
  a.finish()
  await scene.shares({ a: 1, b: 1 })
  expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
  expect(scene.overlaps).toEqual([])
})

it.concurrent('an owner that never finishes holds the others up only until the deadline', async () => {
  await using scene = await GroupScene.open({ partitions: 2 })
  const a = scene.join('a', { rebalanceTimeoutMs: 1000 })
  await scene.shares({ a: 2 })
  a.holds = true
  const b = scene.join('b')
  await b.hears('assigned')
  await until(() => [a.member.partitions.length, b.member.partitions.length], [1, 1])
  expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
})

it.concurrent('one that leaves while its join is held back leaves at once, and holds up nobody', async () => {
  await using scene = await GroupScene.open({ partitions: 2 })
  const a = scene.join('a')
  await scene.shares({ a: 2 })
  a.holds = true
  const b = scene.join('b')
  await a.hears('revoked')
  const startedMs = performance.now()
  await b.leave()
  expect(performance.now() - startedMs).toBeLessThan(2000)
  a.finish()
  await scene.shares({ a: 2 })
})
