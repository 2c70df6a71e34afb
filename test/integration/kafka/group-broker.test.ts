// What becomes of members when their broker goes away and comes back, or cannot do what others can. On a broker of its
// own, since the others' must not go away.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeatureUpgradeTypes, updateFeaturesV1 } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type KafkaServer, startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { killAllChildren } from '../../../src/process/child.ts'
import { GroupScene, patient, type SceneMember, until } from '../scenes/group-scene.ts'
import { silentLog } from '../scenes/pipeline.ts'

const stopDeadlineMs = 8000
const folder = mkdtempSync(join(tmpdir(), 'market-kpi-group-broker-'))
let kafka: KafkaServer

async function start(port = 0): Promise<void> {
  kafka = await startKafka({ dataDir: folder, logsDir: join(folder, 'logs'), log: silentLog, port })
}

beforeAll(async () => {
  process.once('exit', killAllChildren)
  await start()
})

afterAll(async () => {
  await kafka.stop(stopDeadlineMs)
  rmSync(folder, { recursive: true, force: true })
})

/** One scene for each protocol, with one member that has everything. */
async function openBoth(sessionTimeoutMs: number): Promise<{ scene: GroupScene; member: SceneMember }[]> {
  return Promise.all(
    (['consumer', 'classic'] as const).map(async (protocol) => {
      const scene = await GroupScene.open({ partitions: 2, sessionTimeoutMs, bootstrap: kafka.bootstrap })
      const member = scene.join('a', { protocol })
      await scene.shares({ a: 2 })
      return { scene, member }
    }),
  )
}

async function disposeAll(scenes: { scene: GroupScene }[]): Promise<void> {
  await Promise.all(scenes.map(({ scene }) => scene[Symbol.asyncDispose]()))
}

/** The coordinator takes the member's word again. */
async function hasCommitted(member: SceneMember): Promise<void> {
  const commit = () =>
    member.member.commit(new Map([[0, 1]])).then(
      () => 'committed',
      (error: Error) => error.message,
    )
  await until(commit, 'committed', patient)
}

it('a restart of the broker within the session costs a member nothing', async () => {
  const both = await openBoth(60_000)
  const { port } = kafka
  kafka.kill()
  await kafka.exited
  await start(port)
  for (const { member } of both) await hasCommitted(member)
  for (const { scene } of both) {
    expect(scene.log).toEqual(['a assigned 0,1'])
    scene.join('b', { protocol: 'auto' })
    await scene.shares({ a: 1, b: 1 })
    expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
    expect(scene.overlaps).toEqual([])
  }
  await disposeAll(both)
})

it('a broker that is stuck for less than the session costs a member nothing', async () => {
  const sessionTimeoutMs = 12_000
  const both = await openBoth(sessionTimeoutMs)
  process.kill(kafka.pid, 'SIGSTOP')
  // A heartbeat is given up after a third of the session: by then the way to the broker counts as broken.
  const laterMs = performance.now() + sessionTimeoutMs / 2
  await until(() => performance.now() > laterMs, true)
  process.kill(kafka.pid, 'SIGCONT')
  for (const { member } of both) await hasCommitted(member)
  for (const { scene } of both) expect(scene.log).toEqual(['a assigned 0,1'])
  await disposeAll(both)
})

it('partitions are lost when the broker stays away for a whole session, and come back with it', async () => {
  const both = await openBoth(3000)
  const { port } = kafka
  await kafka.stop(stopDeadlineMs)
  for (const { member } of both) {
    await member.hears('lost')
    expect(member.member.state).toBe('joining')
    expect(member.member.partitions).toEqual([])
  }
  await start(port)
  for (const { scene } of both) {
    await scene.shares({ a: 2 }, patient)
    expect(scene.log).toEqual(['a assigned 0,1', 'a lost 0,1', 'a assigned 0,1'])
  }
  await disposeAll(both)
})

it('brokers without the consumer protocol: auto takes the classic one, and a member that insists is told', async () => {
  await using scene = await GroupScene.open({ partitions: 4, bootstrap: kafka.bootstrap })
  await setGroupVersion(scene, 0)
  const a = scene.join('a', { protocol: 'auto' })
  const insists = scene.join('insists', { protocol: 'consumer' })
  await scene.shares({ a: 4 })
  expect(a.member.protocol).toBe('classic')
  await until(() => insists.fatal.map((error) => error.code), ['KPI_GROUP_REFUSED'])
  // The cluster is upgraded: the next member converts the group, with the first still in it.
  await setGroupVersion(scene, 1)
  const b = scene.join('b', { protocol: 'auto' })
  await scene.shares({ a: 2, b: 2 })
  expect(b.member.protocol).toBe('consumer')
  expect(scene.overlaps).toEqual([])
})

async function setGroupVersion(scene: GroupScene, version: number): Promise<void> {
  const upgradeType = version > 0 ? FeatureUpgradeTypes.UPGRADE : FeatureUpgradeTypes.SAFE_DOWNGRADE
  const feature = { feature: 'group.version', maxVersionLevel: version, upgradeType }
  await scene.cluster.request('any', 'control', updateFeaturesV1.api, 10_000, [feature], false)
}
