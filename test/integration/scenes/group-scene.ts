import { randomBytes } from 'node:crypto'
import { expect, inject, vi } from 'vitest'
import { createPartitionsV3 } from '#kafka-protocol'
import type { KpiError } from '../../../src/errors.ts'
import { KafkaCluster, type TopicMetadata } from '../../../src/kafka/client/cluster.ts'
import { prepareTopic } from '../../../src/kafka/client/topic.ts'
import { GroupMember, type GroupMemberOptions } from '../../../src/kafka/group/group-member.ts'
import { silentLog } from './pipeline.ts'

export interface SceneOptions {
  /** @defaultValue 6 */
  readonly partitions?: number
  /** Of both protocols. @defaultValue 30000 */
  readonly sessionTimeoutMs?: number
  /** @defaultValue the broker of all tests */
  readonly bootstrap?: string
}

/** Where a member gets another `cluster` than the usual one, it closes that too. */
export type MemberOptions = Partial<Omit<GroupMemberOptions, 'topic' | 'group' | 'listener'>>

const stopDeadlineMs = 5000

interface Patience {
  readonly timeout: number
  readonly interval: number
}

/** How long to wait for what takes a few heartbeats, on a busy machine too. */
const soon: Patience = { timeout: 20_000, interval: 10 }

/** For what takes a broker that starts. */
export const patient: Patience = { timeout: 60_000, interval: 50 }

/** Waits until it looks like that. `expect.poll` would not know whose it is in tests that run side by side. */
export function until<T>(look: () => T | Promise<T>, expected: T, patience: Patience = soon): Promise<void> {
  return vi.waitFor(async () => expect(await look()).toEqual(expected), patience)
}

/** A topic and a group of a test's own, and members that write down what they are told. */
export class GroupScene {
  readonly metadata: TopicMetadata
  readonly cluster: KafkaCluster
  readonly members: SceneMember[] = []
  /** What members were told, in order: `a assigned 0,1`. */
  readonly log: string[] = []
  /** Partitions that two members had at once, by what they were told. */
  readonly overlaps: string[] = []
  readonly #bootstrap: string
  readonly #sessionTimeoutMs: number

  static async open(options: SceneOptions = {}): Promise<GroupScene> {
    const topic = `group-${randomBytes(6).toString('hex')}`
    const bootstrap = options.bootstrap ?? inject('bootstrap')
    const sessionTimeoutMs = options.sessionTimeoutMs ?? 30_000
    const cluster = new KafkaCluster({ bootstrap: [bootstrap], clientId: topic })
    // A broker that was stopped for a while has to find its controller again.
    await until(async () => (await cluster.clusterMetadata()).controllerId >= 0, true)
    const wanted = { topic, partitions: options.partitions ?? 6, replicationFactor: 1 }
    const { metadata } = await prepareTopic(cluster, wanted)
    const scene = new GroupScene({ metadata, cluster, bootstrap, sessionTimeoutMs })
    return scene
  }

  private constructor(parts: {
    metadata: TopicMetadata
    cluster: KafkaCluster
    bootstrap: string
    sessionTimeoutMs: number
  }) {
    this.metadata = parts.metadata
    this.cluster = parts.cluster
    this.#bootstrap = parts.bootstrap
    this.#sessionTimeoutMs = parts.sessionTimeoutMs
  }

  get topic(): string {
    return this.metadata.topic
  }

  get group(): string {
    return this.metadata.topic
  }

  join(name: string, options: MemberOptions = {}): SceneMember {
    const member = new SceneMember(this, name, {
      cluster: new KafkaCluster({ bootstrap: [this.#bootstrap], clientId: name }),
      topic: this.topic,
      group: this.group,
      log: silentLog,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      metadataIntervalMs: 500,
      ...options,
    })
    this.members.push(member)
    member.member.start()
    return member
  }

  /** By partition, who has it by the members' own account. */
  owners(): string[] {
    const count = Math.max(
      this.metadata.partitions.length,
      ...this.members.flatMap((m) => [...m.owned].map((p) => p + 1)),
    )
    return Array.from({ length: count }, (_, partition) =>
      this.members
        .filter((member) => member.owned.has(partition))
        .map((member) => member.name)
        .join('+'),
    )
  }

  /** By member, how many it has; waits until that is as expected and every partition has one owner. */
  async shares(expected: Record<string, number>, patience?: Patience): Promise<void> {
    const counted = () => {
      const counts: Record<string, number> = {}
      for (const name of this.owners()) counts[name] = (counts[name] ?? 0) + 1
      return counts
    }
    await until(counted, expected, patience)
  }

  async addPartitions(count: number): Promise<void> {
    const topics = [{ name: this.topic, count, assignments: null }]
    await this.cluster.request('any', 'control', createPartitionsV3.api, topics, 10_000, false)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.leave()))
    await this.cluster.close()
  }
}

/** One member, and what it was told. */
export class SceneMember {
  readonly name: string
  readonly member: GroupMember
  /** From `assigned` until it finished with a revocation, heard of a loss or left. */
  readonly owned = new Set<number>()
  readonly fatal: KpiError[] = []
  /** Whether revocations wait for `finish()`. */
  holds = false
  readonly #scene: GroupScene
  readonly #cluster: KafkaCluster
  #dead = false
  #finishing = Promise.withResolvers<void>()

  constructor(scene: GroupScene, name: string, options: Omit<GroupMemberOptions, 'listener'>) {
    this.name = name
    this.#scene = scene
    this.#cluster = options.cluster
    this.member = new GroupMember({
      ...options,
      listener: {
        assigned: (partitions) => this.#assigned(partitions),
        revoked: (partitions) => this.#revoked(partitions),
        lost: (partitions) => this.#dropped('lost', partitions),
        fatal: (error) => void this.fatal.push(error),
      },
    })
  }

  /** Waits until it was told this, of whatever partitions. */
  async hears(what: 'assigned' | 'revoked' | 'lost'): Promise<void> {
    const heard = () => this.#scene.log.some((line) => line.startsWith(`${this.name} ${what}`))
    await until(heard, true)
  }

  /** Is done with what a revocation waits for. */
  finish(): void {
    this.holds = false
    this.#finishing.resolve()
  }

  async leave(): Promise<void> {
    this.owned.clear()
    await this.member.stop(this.#dead ? 0 : stopDeadlineMs)
    await this.#cluster.close()
  }

  /** Is cut off in the middle of everything, as if killed. */
  async die(): Promise<void> {
    this.#dead = true
    await this.#cluster.close()
  }

  #assigned(partitions: readonly number[]): void {
    this.#scene.log.push(`${this.name} assigned ${partitions.join()}`)
    for (const partition of partitions) this.owned.add(partition)
    this.#scene.overlaps.push(...this.#scene.owners().filter((owners) => owners.includes('+')))
  }

  async #revoked(partitions: readonly number[]): Promise<void> {
    this.#scene.log.push(`${this.name} revoked ${partitions.join()}`)
    if (this.holds) {
      this.#finishing = Promise.withResolvers()
      await this.#finishing.promise
    }
    this.#dropped('finished', partitions)
  }

  #dropped(what: string, partitions: readonly number[]): void {
    this.#scene.log.push(`${this.name} ${what} ${partitions.join()}`)
    for (const partition of partitions) this.owned.delete(partition)
  }
}
