// Groups whose members use the other protocol, and groups of another kind.
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { consumerGroupHeartbeatV1, joinGroupV7, syncGroupV5 } from '#kafka-protocol'
import { GroupCoordinator } from '../../../src/kafka/group/group-coordinator.ts'
import { encodeSubscription } from '../../../src/kafka/group/group-subscription.ts'
import { pause } from '../../../src/runtime/abort.ts'
import { GroupScene, until } from '../scenes/group-scene.ts'

const lost = (line: string) => line.includes('lost')

it.concurrent('a worker joins a group whose members use KIP-848, as those of earlier versions did, and shares with them', async () => {
  await using scene = await GroupScene.open({ partitions: 4 })
  await using earlier = new ConsumerProtocolMember(scene)
  await until(() => [...earlier.partitions].sort(), [0, 1, 2, 3])
  const worker = scene.join('worker')
  await scene.shares({ '': 2, worker: 2 })
  await until(() => earlier.partitions.length, 2)
  await earlier.leave()
  await scene.shares({ worker: 4 })
  await until(() => worker.member.state, 'stable')
  expect(scene.log.filter(lost)).toEqual([])
})

it.concurrent('a group of another kind refuses the worker', async () => {
  await using scene = await GroupScene.open({ partitions: 2 })
  await occupy(scene, { type: 'connect', protocol: 'default', assignment: Buffer.from('tasks') })
  const a = scene.join('a')
  await until(() => a.fatal.map((error) => error.code), ['KPI_GROUP_REFUSED'])
  expect(a.fatal[0]?.message).toContain(`'${scene.group}'`)
  expect(a.member.state).toBe('stopped')
  expect(scene.log).toEqual([])
})

/** A member of the consumer protocol (KIP-848) that owns at once whatever the coordinator assigns to it. */
class ConsumerProtocolMember {
  partitions: readonly number[] = []
  readonly #coordinator: GroupCoordinator
  readonly #scene: GroupScene
  readonly #memberId = randomUUID()
  readonly #heartbeats: Promise<void>
  #epoch = 0
  #leaves = false

  constructor(scene: GroupScene) {
    this.#scene = scene
    this.#coordinator = new GroupCoordinator(scene.cluster, scene.group)
    this.#heartbeats = this.#run()
  }

  async leave(): Promise<void> {
    if (this.#leaves) return
    this.#leaves = true
    await this.#heartbeats
    await this.#heartbeat(-1)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #run(): Promise<void> {
    while (!this.#leaves) {
      await this.#heartbeat(this.#epoch)
      await pause(200)
    }
  }

  async #heartbeat(epoch: number): Promise<void> {
    const { topic, topicId } = this.#scene.metadata
    const { response, refusal } = await this.#coordinator.ask(
      { purpose: 'control' },
      consumerGroupHeartbeatV1.api,
      this.#scene.group,
      this.#memberId,
      epoch,
      null, // no fixed instance id
      null, // no rack
      30_000,
      [topic],
      null, // no pattern of topics
      null, // the broker's own assignor
      epoch === 0 ? [] : [{ topicId, partitions: [...this.partitions] }],
    )
    expect(refusal).toBeUndefined()
    this.#epoch = response?.memberEpoch ?? 0
    if (response?.assignment)
      this.partitions = response.assignment.topicPartitions.flatMap(({ partitions }) => partitions)
  }
}

/** Adds a member of another application, which owns all and does not join the next rebalance. */
async function occupy(scene: GroupScene, as: { type: string; protocol: string; assignment: Buffer }): Promise<void> {
  const coordinator = new GroupCoordinator(scene.cluster, scene.group)
  const sessionTimeoutMs = 30_000
  const rebalanceTimeoutMs = 1000
  const protocols = [{ name: as.protocol, metadata: encodeSubscription([scene.topic]) }]
  const options = { purpose: 'group' } as const
  const join = (memberId: string) =>
    coordinator.ask(
      options,
      joinGroupV7.api,
      scene.group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      null,
      as.type,
      protocols,
      null,
    )
  const { response: offered } = await join('')
  const { response: joined } = await join(offered?.memberId ?? '')
  const memberId = joined?.memberId ?? ''
  const assignments = [{ memberId, assignment: as.assignment }]
  const generation = joined?.generationId ?? -1
  const synced = await coordinator.ask(
    options,
    syncGroupV5.api,
    scene.group,
    generation,
    memberId,
    null,
    as.type,
    as.protocol,
    assignments,
  )
  expect(synced.refusal).toBeUndefined()
}
