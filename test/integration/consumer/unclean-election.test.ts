// A replica that had fallen behind becomes leader: messages that were counted are gone, and others take their offsets.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTopicsV7 } from '#kafka-protocol'
import type { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { seed } from '../../seed.ts'
import {
  countersOf,
  expectedRows,
  makeTrades,
  messageText,
  type Placed,
  place,
  send,
  type Trade,
  tableRows,
} from '../scenes/market.ts'
import { makePipeline, type Pipeline, sharedServers } from '../scenes/pipeline.ts'
import { marketKpi, type Run } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { acceptGaps, verifyPipeline, viewOffsets } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { OwnCluster } from '../servers/own-cluster.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B']
/** On two of the brokers only, so that the third one, and one of them, are enough of the cluster's controllers. */
const [leader, follower] = [2, 3]
const windowMs = 300_000
const shared = 1000
const lost = 1000

let brokers: OwnCluster

beforeAll(async () => {
  brokers = await OwnCluster.start()
}, 120_000)

afterAll(async () => brokers.stop())

async function makeTopic(cluster: KafkaCluster, name: string): Promise<void> {
  const configs = {
    'min.insync.replicas': '1',
    'unclean.leader.election.enable': 'true',
    'message.timestamp.type': 'LogAppendTime',
  }
  const topic = {
    name,
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 0, brokerIds: [leader, follower] }],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
  await cluster.request('any', 'control', createTopicsV7.api, [topic], 15_000, false)
  await untilLed(cluster, name, leader)
}

async function untilLed(cluster: KafkaCluster, topic: string, by: number): Promise<void> {
  await until(
    `broker ${by} as the leader`,
    () => cluster.topicMetadata(topic).catch(() => undefined),
    (found) => found?.partitions[0]?.leaderId === by,
    60_000,
  )
}

/** A pipeline, and where its trades are in the log. */
class Scene {
  readonly pipeline: Pipeline
  readonly trades: readonly Trade[]
  /** Counted, and then cut off the log. */
  readonly gone: Placed[]
  sent = 0

  static async make(seedOf: number): Promise<Scene> {
    const servers = { ...sharedServers(), bootstrap: brokers.bootstrap.join(',') }
    return new Scene(await makePipeline({ partitions: 1, servers, makeTopic }), seedOf)
  }

  private constructor(pipeline: Pipeline, seedOf: number) {
    this.pipeline = pipeline
    this.trades = makeTrades({ seed: seedOf, count: 6000, symbols })
    this.gone = place(this.trades.slice(shared, shared + lost), 1, [shared])
  }

  async send(count: number): Promise<void> {
    const { cluster, config } = this.pipeline
    const part = this.trades.slice(this.sent, this.sent + count)
    this.sent += count
    await send(
      cluster,
      config.kafkaTopic,
      part.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) })),
    )
  }

  /** In the order in which they were counted: the log as it was, then what was written in place of its end. */
  get counted(): Placed[] {
    const kept = place(this.trades.slice(0, shared), 1)
    return [...kept, ...this.gone, ...place(this.trades.slice(shared + lost, this.sent), 1, [shared])]
  }
}

/** With the leaders of now. */
async function fresh(pipeline: Pipeline): Promise<Pipeline> {
  return { ...pipeline, metadata: await pipeline.cluster.topicMetadata(pipeline.config.kafkaTopic) }
}

async function expectReported({ owner }: Pipeline, agreesTo: number): Promise<void> {
  const diverged = await until(
    'a report that the log is another one',
    async () => {
      const rows = await owner.query<{ diverged: unknown }>({
        text: `SELECT detail->'divergedPartitions' AS diverged FROM worker_status WHERE stopped_at IS NULL`,
      })
      return rows[0]?.diverged
    },
    Boolean,
  )
  expect(diverged).toEqual([{ partition: 0, offset: shared + lost, agreesTo }])
}

async function expectAllCounted(scene: Scene): Promise<void> {
  const { pipeline } = scene
  const { owner } = pipeline
  await until(
    'all of the new log counted',
    () => countersOf(owner),
    ({ positions }) => positions[0] === scene.sent - lost,
    60_000,
  )
  expect(await countersOf(owner)).toMatchObject({ merged: scene.sent })
  expect(await tableRows(owner)).toEqual(expectedRows(scene.counted))
  expect(await viewOffsets(await fresh(pipeline))).toMatchObject({
    partitions: [{ state: 'ok', agreesTo: null }],
    gaps: [{ kind: 'cut', fromOffset: shared, toOffset: shared + lost }],
  })
  expect(await verifyPipeline(await fresh(pipeline))).toMatchObject({ differenceCount: 0 })
  const windows = await owner.query<{ start: number }>({
    text: `SELECT (extract(epoch FROM window_start) * 1000)::bigint AS start FROM kpi_windows WHERE window_state = 'incomplete'`,
  })
  const incomplete = new Set(windows.map(({ start }) => start))
  for (const { timestampMs } of scene.gone) expect(incomplete).toContain(timestampMs - (timestampMs % windowMs))
}

it('a worker that was frozen meanwhile counts nothing of the other log before the gap is accepted', async () => {
  const frozen = await Scene.make(seed)
  await using pipeline = frozen.pipeline
  const stopped = await Scene.make(seed + 1)
  await using stoppedPipeline = stopped.pipeline
  const scenes = [frozen, stopped]
  const run: Run = marketKpi(['consume', '--http-port', '0'], pipeline.env)
  const before = await startWorker(stoppedPipeline)
  await Promise.all(scenes.map((scene) => scene.send(shared)))
  await Promise.all(scenes.map((scene) => untilCounted(scene.pipeline, shared)))

  await brokers.node(follower).kill()
  await Promise.all(scenes.map((scene) => scene.send(lost)))
  await Promise.all(scenes.map((scene) => untilCounted(scene.pipeline, shared + lost)))
  await before.stop()
  run.child.kill('SIGSTOP')
  await brokers.node(leader).kill()
  await brokers.node(follower).start()
  for (const {
    pipeline: { cluster, config },
  } of scenes)
    await untilLed(cluster, config.kafkaTopic, follower)
  // One log grows past the position again, the other one does not.
  await frozen.send(1500)
  await stopped.send(500)
  run.child.kill('SIGCONT')

  await expectReported(pipeline, shared)
  expect(await countersOf(pipeline.owner)).toMatchObject({ positions: [shared + lost], merged: shared + lost })
  expect(run.stdout() + run.stderr()).toContain('agrees only up to offset 1000')
  const health = marketKpi(['health'], pipeline.env)
  await health.exited
  expect(health.stdout() + health.stderr()).toContain('the log was cut at 1000 and written again')
  expect(await viewOffsets(await fresh(pipeline))).toMatchObject({
    partitions: [{ state: 'diverged', agreesTo: shared }],
  })
  expect(await verifyPipeline(await fresh(pipeline))).toMatchObject({
    differenceCount: 0,
    holes: [{ why: 'cut', from: 1000, to: 2000 }],
  })
  const accepted = marketKpi(['offsets', 'accept-gap', '--all', '--yes'], pipeline.env)
  expect((await accepted.exited).code, accepted.stderr()).toBe(0)
  await expectAllCounted(frozen)

  // While no worker ran.
  const after = await startWorker(stoppedPipeline)
  await until(
    'a partition that is not read',
    () => after.worker.figures.stranded,
    (stranded) => stranded.length > 0,
  )
  expect(after.worker.figures.stranded).toEqual([{ partition: 0, offset: shared + lost, agreesTo: shared }])
  await acceptGaps(await fresh(stoppedPipeline))
  await expectAllCounted(stopped)
  await after.stop()
  run.child.kill('SIGTERM')
  expect((await run.exited).code).toBe(0)
}, 300_000)
