// What happens to members when their broker stops and starts again. On a broker of its own, since that of the other tests
// must not stop.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FeatureUpgradeTypes, updateFeaturesV1 } from '#kafka-protocol'
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

/** A group with one member that has everything. */
async function openScene(sessionTimeoutMs: number): Promise<{ scene: GroupScene; member: SceneMember }> {
  const scene = await GroupScene.open({ partitions: 2, sessionTimeoutMs, bootstrap: kafka.bootstrap })
  const member = scene.join('a')
  await scene.shares({ a: 2 })
  return { scene, member }
}

/** The coordinator accepts commits of the member again. */
async function hasCommitted(member: SceneMember): Promise<void> {
  const commit = () =>
    member.member.commit(new Map([[0, 1]])).then(
      () => 'committed',
      (error: Error) => error.message,
    )
  await until(commit, 'committed', patient)
}

it('a restart of the broker within the session costs a member nothing', async () => {
  const { scene, member } = await openScene(60_000)
  await using _ = scene
  const { port } = kafka
  kafka.kill()
  await kafka.exited
  await start(port)
  await hasCommitted(member)
  expect(scene.log).toEqual(['a assigned 0,1'])
  scene.join('b')
  await scene.shares({ a: 1, b: 1 })
  expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
  expect(scene.overlaps).toEqual([])
})

it('a broker that is stuck for less than the session costs a member nothing', async () => {
  const sessionTimeoutMs = 12_000
  const { scene, member } = await openScene(sessionTimeoutMs)
  await using _ = scene
  process.kill(kafka.pid, 'SIGSTOP')
  // A heartbeat is given up after a third of the session: by then the connection to the broker counts as broken.
  const laterMs = performance.now() + sessionTimeoutMs / 2
  await until(() => performance.now() > laterMs, true)
  process.kill(kafka.pid, 'SIGCONT')
  await hasCommitted(member)
  expect(scene.log).toEqual(['a assigned 0,1'])
})

it('partitions are lost when the broker is down for a whole session, and return with it', async () => {
  const { scene, member } = await openScene(3000)
  await using _ = scene
  const { port } = kafka
  await kafka.stop(stopDeadlineMs)
  await member.hears('lost')
  expect(member.member.state).toBe('joining')
  expect(member.member.partitions).toEqual([])
  await start(port)
  await scene.shares({ a: 2 }, patient)
  expect(scene.log).toEqual(['a assigned 0,1', 'a lost 0,1', 'a assigned 0,1'])
})

it('brokers without the consumer protocol of Kafka 4 serve the group too', async () => {
  await using scene = await GroupScene.open({ partitions: 4, bootstrap: kafka.bootstrap })
  await setGroupVersion(scene, 0)
  scene.join('a')
  await scene.shares({ a: 4 })
  await setGroupVersion(scene, 1)
  scene.join('b')
  await scene.shares({ a: 2, b: 2 })
  expect(scene.overlaps).toEqual([])
})

async function setGroupVersion(scene: GroupScene, version: number): Promise<void> {
  const upgradeType = version > 0 ? FeatureUpgradeTypes.UPGRADE : FeatureUpgradeTypes.SAFE_DOWNGRADE
  const feature = { feature: 'group.version', maxVersionLevel: version, upgradeType }
  await scene.cluster.request('any', 'control', updateFeaturesV1.api, 10_000, [feature], false)
}
