// Members that vanish, sleep through their session, or are not let in.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Connection, NetworkError } from '@platformatic/kafka'
import { describe, expect, inject, it } from 'vitest'
import { KafkaCluster, type Purpose } from '../../src/kafka/cluster.ts'
import { GroupMember } from '../../src/kafka/group-member.ts'
import type { GroupReport } from './group-process.ts'
import { GroupScene, soon } from './group-scene.ts'
import { silentLog } from './pipeline.ts'

const sessionTimeoutMs = 3000

describe.each(['consumer', 'classic'] as const)('by the %s protocol', (protocol) => {
  it('the partitions of a member that vanished go to others after its session, and it knows by then', async () => {
    await using scene = await GroupScene.open({ partitions: 4, sessionTimeoutMs })
    const a = scene.join('a', { protocol })
    scene.join('b', { protocol })
    await scene.shares({ a: 2, b: 2 })
    const diedAtMs = performance.now()
    await a.die()
    await scene.shares({ b: 4 })
    // The last heartbeat was up to a heartbeat ago.
    expect(performance.now() - diedAtMs).toBeGreaterThan(sessionTimeoutMs / 2)
    expect(scene.log).toContainEqual(expect.stringMatching(/^a lost/))
    expect(scene.overlaps).toEqual([])
  })

  it('an answer that gets lost on its way costs nothing', async () => {
    await using scene = await GroupScene.open({ partitions: 4 })
    const cluster = new LossyCluster({ bootstrap: [inject('bootstrap')], clientId: 'lossy' })
    scene.join('a', { protocol, cluster })
    await scene.shares({ a: 4 })
    cluster.loseNextAssignment()
    const b = scene.join('b', { protocol })
    await scene.shares({ a: 2, b: 2 })
    cluster.loseNextAssignment()
    await b.leave()
    await scene.shares({ a: 4 })
    expect(cluster.lost).toBe(2)
    expect(scene.log.filter((line) => line.includes('lost'))).toEqual([])
    expect(scene.overlaps).toEqual([])
  })

  it('a process that slept through its session notices, and joins again', async () => {
    await using scene = await GroupScene.open({ partitions: 2, sessionTimeoutMs })
    await using sleeper = startProcess(scene, protocol)
    await expect.poll(() => sleeper.reports.at(-1), soon).toEqual({ heard: 'assigned', partitions: [0, 1] })
    sleeper.signal('SIGSTOP')
    const b = scene.join('b', { protocol })
    await scene.shares({ b: 2 })
    sleeper.signal('SIGCONT')
    await expect.poll(() => sleeper.reports[1], soon).toEqual({ heard: 'lost', partitions: [0, 1] })
    await expect.poll(() => [sleeper.reports.at(-1)?.heard, b.owned.size], soon).toEqual(['assigned', 1])
  })
})

it.each(['auto', 'consumer', 'classic'] as const)(
  '%s: a member that finds no broker stops within its deadline',
  async (protocol) => {
    await using scene = await GroupScene.open({ partitions: 1 })
    const cluster = new KafkaCluster({ bootstrap: ['127.0.0.1:1'], clientId: 'nowhere' })
    const told: string[] = []
    const member = new GroupMember({
      cluster,
      topic: scene.topic,
      group: scene.group,
      protocol,
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
  },
)

/** Loses what the coordinator answers, after it has acted on the request, and the connection with it. */
class LossyCluster extends KafkaCluster {
  lost = 0
  readonly #lossy = new WeakSet<Connection>()
  #losing = false

  /** The next answer that tells a member what it shall have. */
  loseNextAssignment(): void {
    this.#losing = true
  }

  override async connection(nodeId: number, purpose: Purpose): Promise<Connection> {
    const connection = await super.connection(nodeId, purpose)
    if (purpose !== 'group' || this.#lossy.has(connection)) return connection
    this.#lossy.add(connection)
    const send = connection.send.bind(connection)
    connection.send = (key, version, request, parser, tagged, answerTagged, callback) =>
      send(key, version, request, parser, tagged, answerTagged, (error, answer) => {
        if (error || !this.#losing || !tellsAssignment(answer)) return callback(error, answer)
        this.#losing = false
        this.lost += 1
        void connection.close()
        callback(new NetworkError('lost on its way'), answer)
      })
    return connection
  }
}

function tellsAssignment(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'assignment' in answer && answer.assignment !== null
}

/** A member in a process of its own. */
function startProcess(scene: GroupScene, protocol: string) {
  const settings = {
    bootstrap: inject('bootstrap'),
    topic: scene.topic,
    group: scene.group,
    protocol,
    sessionTimeoutMs,
  }
  const script = new URL('group-process.ts', import.meta.url).pathname
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
