// Members that vanish, sleep through their session, or are not let in.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect, inject, it } from 'vitest'
import { type Connection, describeGroupsV5, leaveGroupV4, NetworkError } from '#kafka-protocol'
import { KafkaCluster, type Purpose } from '../../../src/kafka/client/cluster.ts'
import { GroupCoordinator } from '../../../src/kafka/group/group-coordinator.ts'
import { GroupMember } from '../../../src/kafka/group/group-member.ts'
import type { GroupReport } from '../children/group-process.ts'
import { GroupScene, until } from '../scenes/group-scene.ts'
import { silentLog } from '../scenes/pipeline.ts'

const sessionTimeoutMs = 3000

it.concurrent('the partitions of a member that vanished go to others after its session, and it knows by then', async () => {
  await using scene = await GroupScene.open({ partitions: 4, sessionTimeoutMs })
  const a = scene.join('a')
  scene.join('b')
  await scene.shares({ a: 2, b: 2 })
  const diedAtMs = performance.now()
  await a.die()
  await scene.shares({ b: 4 })
  // The last heartbeat was up to a heartbeat ago.
  expect(performance.now() - diedAtMs).toBeGreaterThan(sessionTimeoutMs / 2)
  expect(scene.log).toContainEqual(expect.stringMatching(/^a lost/))
  expect(scene.overlaps).toEqual([])
})

it.concurrent('an answer that gets lost on its way costs nothing', async () => {
  await using scene = await GroupScene.open({ partitions: 4 })
  const cluster = new LossyCluster({ bootstrap: [inject('bootstrap')], clientId: 'lossy' })
  scene.join('a', { cluster })
  await scene.shares({ a: 4 })
  cluster.loseNextAssignment()
  const b = scene.join('b')
  await scene.shares({ a: 2, b: 2 })
  cluster.loseNextAssignment()
  await b.leave()
  await scene.shares({ a: 4 })
  expect(cluster.lost).toBe(2)
  expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
  expect(scene.overlaps).toEqual([])
})

it.concurrent('a connection that is stuck is given up before the session is over', async () => {
  await using scene = await GroupScene.open({ partitions: 2, sessionTimeoutMs })
  const cluster = new LossyCluster({ bootstrap: [inject('bootstrap')], clientId: 'lossy' })
  const a = scene.join('a', { cluster })
  await scene.shares({ a: 2 })
  await until(() => a.member.state, 'stable')
  cluster.stickNext()
  await until(() => cluster.lost, 1)
  const longAfterMs = performance.now() + 2 * sessionTimeoutMs
  await until(() => performance.now() > longAfterMs, true)
  expect(scene.log).toEqual(['a assigned 0,1'])
})

it.concurrent('a member that was thrown out loses what it had, and joins again', async () => {
  await using scene = await GroupScene.open({ partitions: 2 })
  scene.join('a')
  await scene.shares({ a: 2 })
  await throwOut(scene)
  await until(() => scene.log, ['a assigned 0,1', 'a lost 0,1', 'a assigned 0,1'])
})

it.concurrent('a process that slept through its session notices, and joins again', async () => {
  await using scene = await GroupScene.open({ partitions: 2, sessionTimeoutMs })
  await using sleeper = startProcess(scene)
  await until(() => sleeper.reports.at(-1), { heard: 'assigned', partitions: [0, 1] })
  sleeper.signal('SIGSTOP')
  const b = scene.join('b')
  await scene.shares({ b: 2 })
  sleeper.signal('SIGCONT')
  await until(() => sleeper.reports[1], { heard: 'lost', partitions: [0, 1] })
  await until(() => [sleeper.reports.at(-1)?.heard, b.owned.size], ['assigned', 1])
})

it('a member that finds no broker stops within its deadline', async () => {
  await using scene = await GroupScene.open({ partitions: 1 })
  const cluster = new KafkaCluster({ bootstrap: ['127.0.0.1:1'], clientId: 'nowhere' })
  const told: string[] = []
  const member = new GroupMember({
    cluster,
    topic: scene.topic,
    group: scene.group,
    log: silentLog,
    listener: {
      assigned: () => void told.push('assigned'),
      revoked: async () => void told.push('revoked'),
      lost: () => void told.push('lost'),
      fatal: () => void told.push('fatal'),
    },
  })
  member.start()
  expect(member.state).toBe('joining')
  const startedMs = performance.now()
  await Promise.all([member.stop(500), member.stop(60_000)])
  expect(performance.now() - startedMs).toBeLessThan(2000)
  expect(member.state).toBe('stopped')
  expect(told).toEqual([])
  await cluster.close()
})

/** Makes the coordinator end the membership of the only member. */
async function throwOut(scene: GroupScene): Promise<void> {
  const coordinator = new GroupCoordinator(scene.cluster, scene.group)
  const nodeId = await coordinator.find('group')
  const { groups } = await scene.cluster.request(nodeId, 'group', describeGroupsV5.api, [scene.group], false)
  const memberId = groups[0]?.members[0]?.memberId ?? ''
  const answer = await coordinator.ask({ purpose: 'group' }, leaveGroupV4.api, scene.group, [{ memberId }])
  expect(answer).toHaveProperty('response')
}

/** Loses what the coordinator answers, after it has acted on the request. */
class LossyCluster extends KafkaCluster {
  lost = 0
  readonly #lossy = new WeakSet<Connection>()
  #next: 'arrives' | 'is lost' | 'is stuck' = 'arrives'

  /** The next answer that tells a member what it shall have is lost, and its connection. */
  loseNextAssignment(): void {
    this.#next = 'is lost'
  }

  /** The next answer does not come, until somebody closes its connection. */
  stickNext(): void {
    this.#next = 'is stuck'
  }

  override async connection(nodeId: number, purpose: Purpose): Promise<Connection> {
    const connection = await super.connection(nodeId, purpose)
    if (purpose !== 'group' || this.#lossy.has(connection)) return connection
    this.#lossy.add(connection)
    const send = connection.send.bind(connection)
    connection.send = (key, version, request, parser, tagged, answerTagged, callback) =>
      send(key, version, request, parser, tagged, answerTagged, (error, answer) => {
        const strikes = this.#next === 'is stuck' || (this.#next === 'is lost' && tellsAssignment(answer))
        if (error || !strikes) return callback(error, answer)
        connection.once('close', () => {
          this.lost += 1
          callback(new NetworkError('lost on its way'), answer)
        })
        if (this.#next === 'is lost') void connection.close()
        this.#next = 'arrives'
      })
    return connection
  }
}

function tellsAssignment(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'assignment' in answer && answer.assignment !== null
}

/** A member in a process of its own. */
function startProcess(scene: GroupScene) {
  const settings = {
    bootstrap: inject('bootstrap'),
    topic: scene.topic,
    group: scene.group,
    sessionTimeoutMs,
  }
  const script = new URL('../children/group-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const reports: GroupReport[] = []
  createInterface({ input: child.stdout }).on('line', (line) => reports.push(JSON.parse(line)))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    reports,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
