import { Random } from '../../../src/feed/simulate/random.ts'
import { type Scene, Skipped } from '../actions.ts'
import type { Worker } from '../crew.ts'
import type { Broker } from '../own-stack.ts'
import type { Action } from '../plan.ts'
import { type LogEntry, readPartitionLog } from '../records/partition-log.ts'
import { allowUncleanElections, type Replicas, untilInSync, untilReplicas } from './replicas.ts'

const electionLimitMs = 60_000
/** In how many cases some of what is lost was counted before. */
const countedShare = 0.8
const countedLimitMs = 15_000
const newLogMs = { least: 500, most: 4000 }

/**
 * The follower of a partition is frozen until it is out of sync, and falls behind; then its leader is killed, and the
 * follower, which is all there is, leads. What it lacks is lost, acknowledged or not.
 *
 * No transaction is open meanwhile: its end would be lost with the rest, and nobody would end it again.
 */
export function uncleanElection(scene: Scene, action: Action): Promise<string> {
  return scene.transactions.run(() => elect(scene, action))
}

async function elect(scene: Scene, action: Action): Promise<string> {
  const { stack, load } = scene
  const random = new Random(action.seed)
  const all = await untilInSync(scene)
  // One that nothing comes to would lose nothing.
  const busy = all.filter(({ partition }) => !load.quiet.has(partition))
  const chosen = busy[random.below(Math.max(1, busy.length))]
  const followerId = chosen?.all.find((id) => id !== chosen.leader)
  if (chosen === undefined || followerId === undefined) throw new Skipped('there is no follower')
  const { partition } = chosen
  const leader = stack.broker(chosen.leader)
  const worker = random.uniform() < 0.5 ? scene.crew.worker(1 + random.below(scene.crew.workers.length)) : undefined
  load.mayGiveUp = true
  await allowUncleanElections(scene, true)
  try {
    await loseTail(scene, action, { all, partition, leader, followerId, worker, random })
  } finally {
    worker?.signal('SIGCONT')
  }
  await untilInSync(scene)
  await allowUncleanElections(scene, false)
  return `broker ${followerId} led partition ${partition}${worker ? `, ${worker.name} was frozen` : ''}`
}

interface Election {
  readonly all: readonly Replicas[]
  readonly partition: number
  readonly leader: Broker
  readonly followerId: number
  readonly worker: Worker | undefined
  readonly random: Random
}

async function loseTail(scene: Scene, action: Action, election: Election): Promise<void> {
  const { stack, note, pause } = scene
  const { all, partition, leader, followerId, worker, random } = election
  const follower = stack.broker(followerId)
  const thaw = follower.home.freeze()
  try {
    await untilReplicas(scene, `broker ${followerId} out of sync`, isLeftTo(partition, leader.id), electionLimitMs)
    if (random.uniform() < countedShare) await someIsCounted(scene, partition, follower)
    worker?.signal('SIGSTOP')
    await pause(action.forMs)
    await leader.home.kill()
    const tails = orphans(all, leader.id, followerId).map((orphan) => noteTail(scene, orphan, leader, follower))
    const position = await scene.sessions.position(partition).catch(() => undefined)
    note(
      action,
      `broker ${leader.id} is killed, ${followerId} lacks ${tails.join(', ')}; ${partition} was counted up to ${position}`,
    )
  } finally {
    thaw()
  }
  await untilReplicas(scene, 'another leader', (found) => found[partition]?.leader === followerId, electionLimitMs)
  await pause(newLogMs.least + random.below(newLogMs.most))
  await leader.home.restart()
  await pause(newLogMs.least + random.below(newLogMs.most))
}

/** Until workers have counted messages that will be lost; a fault may be in their way. */
async function someIsCounted(
  { sessions, topic, checkedEnd, pause }: Scene,
  partition: number,
  follower: Broker,
): Promise<void> {
  const end = endOf(readPartitionLog(follower.logFolder, topic, partition, checkedEnd(partition)))
  for (const until = performance.now() + countedLimitMs; performance.now() < until; await pause(100)) {
    if ((await sessions.position(partition).catch(() => 0)) > end) return
  }
}

function endOf(log: readonly LogEntry[]): number {
  return (log.at(-1)?.offset ?? -1) + 1
}

/** What the leader has, and the follower has not. */
function noteTail({ losses, topic, checkedEnd }: Scene, partition: number, leader: Broker, follower: Broker): string {
  const [had, has] = [leader, follower].map(({ logFolder }) =>
    readPartitionLog(logFolder, topic, partition, checkedEnd(partition)),
  ) as [LogEntry[], LogEntry[]]
  losses.add(partition, had)
  return `${had.length - has.length} messages of partition ${partition} from ${endOf(has)}`
}

function isLeftTo(partition: number, leaderId: number): (found: readonly Replicas[]) => boolean {
  return (found) => {
    const replicas = found[partition]
    return replicas?.leader === leaderId && replicas.inSync.length === 1
  }
}

/** Partitions that nobody else has. */
function orphans(all: readonly Replicas[], leaderId: number, followerId: number): number[] {
  return all
    .filter((one) => [leaderId, followerId].every((id) => one.all.includes(id)))
    .map(({ partition }) => partition)
}
