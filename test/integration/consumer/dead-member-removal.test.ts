// Dead members that the brokers keep for a long session.
import { expect, it } from 'vitest'
import { connectSilentMemberPorts, DeadMemberRemoval } from '../../../src/consumer/dead-member-removal.ts'
import { describeGroup } from '../../../src/kafka/group/describe-group.ts'
import { GroupCoordinator } from '../../../src/kafka/group/group-coordinator.ts'
import { removeMember } from '../../../src/kafka/group/remove-member.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { RecordingLog } from '../../recording-log.ts'
import { seed } from '../../seed.ts'
import { GroupScene } from '../scenes/group-scene.ts'
import { countersOf, expectedRows, makeTrades, messageText, place, send, tableRows } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

/** Of a worker. */
const sessionTimeoutMs = 45_000

it.concurrent('a member that vanished is removed by another one, and is known to be gone the next time', async () => {
  await using scene = await GroupScene.open({ partitions: 4, sessionTimeoutMs: 30_000 })
  const dead = scene.join('dead')
  await scene.shares({ dead: 4 })
  const { members } = await describeGroup(scene.cluster, scene.group, scene.topic)
  expect(members).toMatchObject([{ protocol: 'classic', clientId: 'dead', partitions: [0, 1, 2, 3] }])
  const memberId = members[0]?.memberId ?? ''
  const living = scene.join('living')
  await scene.shares({ dead: 2, living: 2 })
  await dead.die()
  const coordinator = new GroupCoordinator(scene.cluster, scene.group)
  expect(await removeMember(coordinator, memberId)).toBe('removed')
  await until(
    'all partitions with the one that lives',
    () => living.owned.size,
    (count) => count === 4,
  )
  expect(await removeMember(coordinator, memberId)).toBe('gone')
})

/** What the database holds of a worker that is in the group and lives no more. */
const ends = [
  ['was killed', undefined],
  ['ended while no broker accepted its leave request', 'UPDATE worker_status SET stopped_at = last_seen_at'],
  ['was killed before its first row in worker_status', 'DELETE FROM worker_status'],
] as const

it.concurrent.each(ends)(
  'the partitions of a worker that %s are read again before its session ends',
  async (_, text) => {
    await using pipeline = await makePipeline()
    const { cluster, config, env, owner } = pipeline
    const trades = makeTrades({ seed, count: 2000, symbols: Array.from({ length: 20 }, (_, index) => `SYM${index}`) })
    const values = trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
    await send(cluster, config.kafkaTopic, values.slice(0, 1000))
    const run = marketKpi(['consume', '--http-port', '0'], env)
    await untilCounted(pipeline, 1000)
    run.child.kill('SIGKILL')
    await run.exited
    if (text !== undefined) await owner.query({ text })
    const sinceMs = performance.now()
    await send(cluster, config.kafkaTopic, values.slice(1000))
    const next = await startWorker(pipeline)
    const log = new RecordingLog()
    const around = { cluster, database: owner, group: config.kafkaGroup, topic: config.kafkaTopic }
    const silent = new DeadMemberRemoval(connectSilentMemberPorts(around), {
      clock: systemClock,
      log,
      silentAfterSeconds: 6,
    })
    silent.start()
    await untilCounted(pipeline, trades.length)
    expect(performance.now() - sinceMs).toBeLessThan(sessionTimeoutMs)
    expect(log.lines.join()).toMatch(/the worker \S+ was silent for \d+ s and still in the group: taken out of it/)
    silent.stop()
    await next.stop()
    expect(await tableRows(owner)).toEqual(expectedRows(place(trades, 3)))
    expect((await countersOf(owner)).merged).toBe(trades.length)
  },
)
