import { join } from 'node:path'
import { createPartitionsV3 } from '#kafka-protocol'
import { ownerRole } from '../../src/embedded/postgres/postgres-server.ts'
import { Random } from '../../src/feed/simulate/random.ts'
import type { KafkaCluster } from '../../src/kafka/client/cluster.ts'
import type { Crew, Worker } from './crew.ts'
import { DatabaseCopy } from './faults/database-copy.ts'
import type { DatabaseSessions } from './faults/database-sessions.ts'
import { type KnownTransaction, openTransaction } from './faults/open-transaction.ts'
import { untilInSync, untilReplicas } from './faults/replicas.ts'
import type { TcpProxy, Ways } from './faults/tcp-proxy.ts'
import { uncleanElection } from './faults/unclean-election.ts'
import type { Load } from './load.ts'
import type { Mutex } from './mutex.ts'
import type { Broker, OwnStack } from './own-stack.ts'
import { type Action, type Kind, seconds } from './plan.ts'
import type { Losses } from './records/losses.ts'

/** What the actions act on. */
export interface Scene {
  /** Held while a transaction is open, and by elections that would lose its end. */
  readonly transactions: Mutex
  /** Those that the next comparison has to know of. */
  readonly known: KnownTransaction[]
  readonly losses: Losses
  /** Up to where a partition's log was compared. */
  readonly checkedEnd: (partition: number) => number
  readonly stack: OwnStack
  readonly crew: Crew
  readonly sessions: DatabaseSessions
  readonly load: Load
  readonly cluster: KafkaCluster
  readonly topic: string
  /** Why disks cannot be filled here. */
  readonly diskObstacle: string | undefined
  /** Ends early when the run does. */
  readonly pause: (ms: number) => Promise<void>
  /** Says how far an action has got. */
  readonly note: (action: Action, text: string) => void
}

/** Thrown where an action cannot be done here: what it is told as. */
export class Skipped extends Error {}

type Deed = (scene: Scene, action: Action) => Promise<string | undefined>
type Home = Broker['home'] | OwnStack['postgres']

/** What to do for each kind of action. @returns What came of it, where that is not plain. */
export const deeds: Readonly<Record<Kind, Deed>> = {
  'kill worker': worker(async (one, pause) => {
    await one.kill()
    await pause()
    one.start()
  }),
  'freeze worker': worker(async (one, pause) => {
    one.signal('SIGSTOP')
    await pause()
    one.signal('SIGCONT')
  }),
  'restart worker': worker(async (one, pause) => {
    await one.stop()
    await pause()
    one.start()
  }),
  'worker visits': async ({ crew, pause }, { forMs }) => {
    crew.visitor.start()
    await pause(forMs)
    await crew.visitor.stop()
    return undefined
  },
  'kill broker': broker((home, scene, action) => away(home, 'kill', scene, action)),
  'restart broker': broker((home, scene, action) => away(home, 'stop', scene, action)),
  'freeze broker': broker((home, scene, action) => frozen(home, scene, action)),
  'fill broker disk': broker((home, scene, action) => filled(scene, home, action)),
  'restart all brokers': async (scene, action) => {
    for (const { home } of scene.stack.brokers) {
      await untilInSync(scene)
      await away(home, 'stop', scene, action)
    }
    return undefined
  },
  'unclean election': uncleanElection,
  'kill database': (scene, action) => away(scene.stack.postgres, 'kill', scene, action),
  'restart database': (scene, action) => away(scene.stack.postgres, 'stop', scene, action),
  'freeze database': (scene, action) => frozen(scene.stack.postgres, scene, action),
  'fill database disk': (scene, action) => filled(scene, scene.stack.postgres, action),
  'database goes back': goBack,
  'too many connections': ({ sessions }, { forMs }) => sessions.hog(forMs),
  'deadlock, the pipeline loses': ({ sessions }) => sessions.deadlock('the pipeline'),
  'deadlock, the pipeline wins': ({ sessions }) => sessions.deadlock('we'),
  'cancel statements': ({ sessions }, { forMs }) => sessions.cancel(forMs),
  'hold row locks': ({ sessions }, { forMs }) => sessions.holdLocks(forMs),
  'terminate sessions': ({ sessions }) => sessions.terminate(),
  'lose answers of kafka': (scene, action) => deaf(scene.stack.wayToKafka, scene, action),
  'cut kafka': ({ stack }, action) => cut(stack.wayToKafka, action),
  'slow kafka': (scene, action) => slow(scene.stack.wayToKafka, scene, action),
  'stall kafka': (scene, action) => stalled(scene.stack.wayToKafka, scene, action),
  'half-open kafka': (scene, action) => halfOpen(scene.stack.wayToKafka, scene, action),
  'lose answers of postgres': (scene, action) => deaf(scene.stack.wayToPostgres, scene, action),
  'cut postgres': ({ stack }, action) => cut(stack.wayToPostgres, action),
  'slow postgres': (scene, action) => slow(scene.stack.wayToPostgres, scene, action),
  'stall postgres': (scene, action) => stalled(scene.stack.wayToPostgres, scene, action),
  'half-open postgres': (scene, action) => halfOpen(scene.stack.wayToPostgres, scene, action),
  'open transaction': openTransaction,
  'add partition': addPartition,
  'jump clock': async ({ crew }, { seed }) => {
    const aheadMs = clockJumps[new Random(seed).below(clockJumps.length)] ?? 0
    for (const one of crew.workers) one.setClock(aheadMs)
    return `${aheadMs / hourMs} h ahead`
  },
}

const hourMs = 3_600_000
const clockJumps = [0, -hourMs, hourMs, -24 * 365 * hourMs, 24 * 365 * 30 * hourMs, -24 * 365 * 60 * hourMs]
/** Until what quiet partitions got is counted. */
const quietMs = 2000
const slowMs = [5, 30, 150, 600]
/** Room that a disk still has when it counts as full: the end comes in the middle of something. */
const mostLeftBytes = 512 * 1024
const partitionPatienceMs = 60_000
const requestTimeoutMs = 5000

function worker(deed: (one: Worker, pause: () => Promise<void>) => Promise<void>): Deed {
  return async ({ crew, pause }, { target, forMs }) => {
    await deed(crew.worker(Number(target.split(' ')[1])), () => pause(forMs))
    return undefined
  }
}

/** One of them, while all of them have everything: nothing that was acknowledged is lost with it. */
function broker(deed: (home: Broker['home'], scene: Scene, action: Action) => Promise<string | undefined>): Deed {
  return async (scene, action) => {
    await untilInSync(scene)
    const { brokers } = scene.stack
    const chosen = brokers[new Random(`${action.seed} broker`).below(brokers.length)]
    if (chosen === undefined) throw new Error('no broker')
    const outcome = await deed(chosen.home, scene, action)
    return brokers.length === 1 ? outcome : `broker ${chosen.id}${outcome === undefined ? '' : ` ${outcome}`}`
  }
}

/** A copy that was taken before takes the database's place; some partitions have been quiet for a while by then. */
async function goBack({ stack, load, pause, cluster, topic }: Scene, action: Action): Promise<string> {
  const home = stack.postgres
  const random = new Random(action.seed)
  const copy = await DatabaseCopy.take(join(home.folder, 'postgres'), home.server.url(ownerRole))
  await pause(action.forMs)
  const partitions = await untilReplicas({ cluster, topic }, 'the partitions', (found) => found.length > 0)
  // Half of them until the round is over; the others go on.
  const parity = random.below(2)
  const isFirst = load.quiet.size === 0
  for (const { partition } of partitions) if (isFirst && partition % 2 === parity) load.quiet.add(partition)
  const quiet = [...load.quiet]
  await pause(quietMs)
  await home[random.uniform() < 0.5 ? 'kill' : 'stop']()
  copy.restore()
  await home.restart()
  return `by ${seconds(action.forMs + quietMs).trim()}, nothing more for ${quiet.length} of ${partitions.length} partitions`
}

async function away(home: Home, how: 'kill' | 'stop', { pause }: Scene, { forMs }: Action): Promise<string> {
  await home[how]()
  await pause(forMs)
  const sinceMs = performance.now()
  await home.restart()
  return `up again after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}

async function frozen(home: Home, { pause }: Scene, { forMs }: Action): Promise<undefined> {
  const thaw = home.freeze()
  await pause(forMs)
  thaw()
}

async function filled({ diskObstacle, note, pause }: Scene, home: Home, action: Action): Promise<string | undefined> {
  const { disk } = home
  if (disk === undefined) throw new Skipped(diskObstacle)
  const before = home.server
  await home.whileItMayEnd(async () => {
    const usedBytes = disk.fill(new Random(action.seed).below(mostLeftBytes))
    note(action, `full with ${Math.round(usedBytes / 1024 / 1024)} MB`)
    await pause(action.forMs)
    disk.free()
  })
  return home.server === before ? 'it lived on' : 'it ended, and was started again'
}

async function cut(way: TcpProxy | Ways, { seed }: Action): Promise<string> {
  const random = new Random(seed)
  const share = random.uniform() < 0.5 ? 1 : 0.5
  return `${way.cut(() => random.uniform() < share)} connections`
}

async function slow(way: TcpProxy | Ways, { pause }: Scene, { seed, forMs }: Action): Promise<string> {
  const delayMs = slowMs[new Random(seed).below(slowMs.length)] ?? 0
  way.slowDown(delayMs)
  await pause(forMs)
  way.slowDown(0)
  return `by ${delayMs} ms`
}

async function stalled(way: TcpProxy | Ways, { pause }: Scene, { forMs }: Action): Promise<undefined> {
  way.stall()
  await pause(forMs)
  way.release()
}

async function deaf(way: TcpProxy | Ways, { pause }: Scene, { forMs }: Action): Promise<undefined> {
  const end = way.loseAnswers()
  await pause(forMs)
  end()
}

async function halfOpen(way: TcpProxy | Ways, { pause }: Scene, { forMs }: Action): Promise<undefined> {
  const end = way.halfOpen()
  await pause(forMs)
  end()
}

/** Asks until the brokers have one more, however often their answer is lost. */
async function addPartition({ cluster, topic, load, pause }: Scene): Promise<string> {
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
      await pause(500)
    }
  }
  load.takeNewPartitions()
  return `${wanted} now`
}
