import type { GroupListener } from '../../../src/kafka/group/group-member.ts'
import { pause } from '../../../src/runtime/abort.ts'
import type { SimulatedClock } from '../../simulated-clock.ts'

/** One worker's membership; the coordinator below decides what it gets. */
export class SimulatedMember {
  readonly listener: GroupListener
  readonly #leave: (member: SimulatedMember) => void
  state: 'joining' | 'stable' | 'rebalancing' | 'stopped' = 'joining'
  readonly partitions = new Set<number>()

  constructor(listener: GroupListener, leave: (member: SimulatedMember) => void) {
    this.listener = listener
    this.#leave = leave
  }

  start(): void {
    this.state = 'stable'
  }

  async commit(): Promise<void> {}

  async stop(): Promise<void> {
    this.state = 'stopped'
    this.#leave(this)
  }

  assign(partition: number): void {
    this.partitions.add(partition)
    this.listener.assigned([partition])
  }
}

/** Hands partitions out, takes them away in good order or bad, and sometimes has two owners of one. */
export class SimulatedCoordinator {
  readonly members = new Set<SimulatedMember>()
  readonly #clock: SimulatedClock
  readonly #partitions: number

  constructor(clock: SimulatedClock, partitions: number) {
    this.#clock = clock
    this.#partitions = partitions
  }

  join(listener: GroupListener): SimulatedMember {
    const member = new SimulatedMember(listener, (leaving) => this.members.delete(leaving))
    this.members.add(member)
    return member
  }

  /** Moves one partition, or gives one that has no owner to somebody. */
  async moveOne(): Promise<void> {
    const { random } = this.#clock
    const partition = Math.floor(random() * this.#partitions)
    const owner = [...this.members].find((member) => member.partitions.has(partition))
    const others = [...this.members].filter((member) => member !== owner && member.state === 'stable')
    const next = others[Math.floor(random() * others.length)]
    const manner = random()
    if (owner === undefined) next?.assign(partition)
    else if (manner < 0.5) await this.#handOver(partition, owner, next)
    else this.#takeAway(partition, owner, next)
  }

  /** Everything that has no living owner gets one. */
  settle(): void {
    const living = [...this.members].filter((member) => member.state === 'stable')
    for (let partition = 0; partition < this.#partitions; partition++) {
      const owners = living.filter((member) => member.partitions.has(partition))
      if (owners.length === 0) living[partition % living.length]?.assign(partition)
    }
  }

  /** The owner finishes first, within a deadline. */
  async #handOver(partition: number, owner: SimulatedMember, next: SimulatedMember | undefined): Promise<void> {
    const deadlineMs = this.#clock.random() * 200
    owner.partitions.delete(partition)
    const done = owner.listener.revoked([partition], deadlineMs)
    await Promise.race([done, pause(deadlineMs, undefined, this.#clock)])
    if (next?.state === 'stable') next.assign(partition)
    else if (owner.state === 'stable') owner.assign(partition)
  }

  /** The next one has it at once; the owner hears of it later, or at the same time. */
  #takeAway(partition: number, owner: SimulatedMember, next: SimulatedMember | undefined): void {
    owner.partitions.delete(partition)
    next?.assign(partition)
    this.#clock.after(this.#clock.random() * 300, () => {
      if (owner.state === 'stable' && !owner.partitions.has(partition)) owner.listener.lost([partition])
    })
  }
}
