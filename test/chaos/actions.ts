import { setTimeout as delay } from 'node:timers/promises'
import { createPartitionsV3 } from '@platformatic/kafka'
import { Random } from '../../src/feed/simulate/random.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { Crew, Worker } from './crew.ts'
import type { DatabaseSessions } from './database-sessions.ts'
import type { Load } from './load.ts'
import type { OwnStack } from './own-stack.ts'
import type { Action, Kind } from './plan.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/** What the actions act on. */
export interface Scene {
  readonly stack: OwnStack
  readonly crew: Crew
  readonly sessions: DatabaseSessions
  readonly load: Load
  readonly cluster: KafkaCluster
  readonly topic: string
  /** Why disks cannot be filled here. */
  readonly diskObstacle: string | undefined
  /** Says how far an action has got. */
  readonly note: (action: Action, text: string) => void
}

/** Thrown where an action cannot be done here: what it is told as. */
export class Skipped extends Error {}

type Deed = (scene: Scene, action: Action) => Promise<string | undefined>
type Home = OwnStack['kafka'] | OwnStack['postgres']

/** What to do for each kind of action. @returns What came of it, where that is not plain. */
export const deeds: Readonly<Record<Kind, Deed>> = {
  'kill worker': worker(async (one, forMs) => {
    await one.kill()
    await delay(forMs)
    one.start()
  }),
  'freeze worker': worker(async (one, forMs) => {
    one.signal('SIGSTOP')
    await delay(forMs)
    one.signal('SIGCONT')
  }),
  'restart worker': worker(async (one, forMs) => {
    await one.stop()
    await delay(forMs)
    one.start()
  }),
  'worker visits': async ({ crew }, { forMs }) => {
    crew.visitor.start()
    await delay(forMs)
    await crew.visitor.stop()
    return undefined
  },
  'kill broker': ({ stack }, { forMs }) => away(stack.kafka, () => stack.kafka.kill(), forMs),
  'restart broker': ({ stack }, { forMs }) => away(stack.kafka, () => stack.kafka.stop(), forMs),
  'freeze broker': ({ stack }, { forMs }) => frozen(stack.kafka, forMs),
  'fill broker disk': (scene, action) => filled(scene, scene.stack.kafka, action),
  'kill database': ({ stack }, { forMs }) => away(stack.postgres, () => stack.postgres.kill(), forMs),
  'restart database': ({ stack }, { forMs }) => away(stack.postgres, () => stack.postgres.stop(), forMs),
  'freeze database': ({ stack }, { forMs }) => frozen(stack.postgres, forMs),
  'fill database disk': (scene, action) => filled(scene, scene.stack.postgres, action),
  'too many connections': ({ sessions }, { forMs }) => sessions.hog(forMs),
  'deadlock, the pipeline loses': ({ sessions }) => sessions.deadlock('the pipeline'),
  'deadlock, the pipeline wins': ({ sessions }) => sessions.deadlock('we'),
  'cancel statements': ({ sessions }, { forMs }) => sessions.cancel(forMs),
  'hold row locks': ({ sessions }, { forMs }) => sessions.holdLocks(forMs),
  'terminate sessions': ({ sessions }) => sessions.terminate(),
  'cut kafka': ({ stack }, action) => cut(stack.wayToKafka, action),
  'slow kafka': ({ stack }, action) => slow(stack.wayToKafka, action),
  'stall kafka': ({ stack }, { forMs }) => stalled(stack.wayToKafka, forMs),
  'half-open kafka': ({ stack }, { forMs }) => halfOpen(stack.wayToKafka, forMs),
  'cut postgres': ({ stack }, action) => cut(stack.wayToPostgres, action),
  'slow postgres': ({ stack }, action) => slow(stack.wayToPostgres, action),
  'stall postgres': ({ stack }, { forMs }) => stalled(stack.wayToPostgres, forMs),
  'half-open postgres': ({ stack }, { forMs }) => halfOpen(stack.wayToPostgres, forMs),
  'add partition': addPartition,
  'jump clock': async ({ crew }, { seed }) => {
    const aheadMs = clockJumps[new Random(seed).below(clockJumps.length)] ?? 0
    for (const one of crew.workers) one.setClock(aheadMs)
    return `${aheadMs / hourMs} h ahead`
  },
}

const hourMs = 3_600_000
const clockJumps = [0, -hourMs, hourMs, -24 * 365 * hourMs, 24 * 365 * 30 * hourMs, -24 * 365 * 60 * hourMs]
const slowMs = [5, 30, 150, 600]
/** Room that a disk still has when it counts as full: the end comes in the middle of something. */
const mostLeftBytes = 512 * 1024
const partitionPatienceMs = 60_000
const requestTimeoutMs = 5000

function worker(deed: (one: Worker, forMs: number) => Promise<void>): Deed {
  return async ({ crew }, { target, forMs }) => {
    await deed(crew.worker(Number(target.split(' ')[1])), forMs)
    return undefined
  }
}

async function away(home: Home, takeAway: () => Promise<void>, forMs: number): Promise<string> {
  await takeAway()
  await delay(forMs)
  const sinceMs = performance.now()
  await home.restart()
  return `up again after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}

async function frozen(home: Home, forMs: number): Promise<undefined> {
  const thaw = home.freeze()
  await delay(forMs)
  thaw()
}

async function filled({ diskObstacle, note }: Scene, home: Home, action: Action): Promise<string | undefined> {
  const { disk } = home
  if (disk === undefined) throw new Skipped(diskObstacle)
  const before = home.server
  await home.whileItMayEnd(async () => {
    const usedBytes = disk.fill(new Random(action.seed).below(mostLeftBytes))
    note(action, `full with ${Math.round(usedBytes / 1024 / 1024)} MB`)
    await delay(action.forMs)
    disk.free()
  })
  return home.server === before ? 'it lived on' : 'it ended, and was started again'
}

async function cut(way: TcpProxy, { seed }: Action): Promise<string> {
  const random = new Random(seed)
  const share = random.uniform() < 0.5 ? 1 : 0.5
  return `${way.cut(() => random.uniform() < share)} connections`
}

async function slow(way: TcpProxy, { seed, forMs }: Action): Promise<string> {
  const delayMs = slowMs[new Random(seed).below(slowMs.length)] ?? 0
  way.slowDown(delayMs)
  await delay(forMs)
  way.slowDown(0)
  return `by ${delayMs} ms`
}

async function stalled(way: TcpProxy, forMs: number): Promise<undefined> {
  way.stall()
  await delay(forMs)
  way.release()
}

async function halfOpen(way: TcpProxy, forMs: number): Promise<undefined> {
  const end = way.halfOpen()
  await delay(forMs)
  end()
}

/** Asks until the brokers have one more, however often their answer is lost. */
async function addPartition({ cluster, topic, load }: Scene): Promise<string> {
  const until = performance.now() + partitionPatienceMs
  let wanted: number | undefined
  for (;;) {
    try {
      const { partitions, controllerId } = await cluster.topicMetadata(topic)
      wanted ??= partitions.length + 1
      if (partitions.length >= wanted) break
      const more = [{ name: topic, count: wanted, assignments: null }]
      await cluster.request(controllerId, 'control', createPartitionsV3.api, more, requestTimeoutMs, false)
    } catch (error) {
      if (performance.now() > until) throw error
      await delay(500)
    }
  }
  load.useNewPartitions()
  return `${wanted} now`
}
