// The consumer's own loop in a simulated world: a log, a store, a group and a clock that do what the real ones may do,
// in thousands of orders. A seed replays its schedule: FC_SEED=… FC_NUM_RUNS=1.
import { expect, it } from 'vitest'
import { Worker } from '../../../src/consumer/worker.ts'
import type { WorkerPorts } from '../../../src/consumer/worker-ports.ts'
import { createLogger } from '../../../src/log.ts'
import { SimulatedClock } from '../../simulated-clock.ts'
import { SimulatedCoordinator, type SimulatedMember } from './simulated-group.ts'
import { rowsOf, SimulatedFetcher, SimulatedLog } from './simulated-log.ts'
import { SimulatedStore } from './simulated-store.ts'

const partitions = 3
const log = createLogger({ level: 'silent', format: 'json' })
const reduction = {
  windowSeconds: 300,
  allowedLatenessSeconds: 120,
  maxFutureSeconds: 1e6,
  decimals: 8,
  payloadsPerMinute: 10,
}
const firstSeed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000)
const runs = Number(process.env.FC_NUM_RUNS ?? 400)

/** A worker, and what a crash needs to know of it. */
interface Living {
  readonly worker: Worker
  readonly member: SimulatedMember
  /** After a crash nothing of it reaches the world any more. */
  readonly crash: () => void
}

class World {
  readonly clock: SimulatedClock
  readonly log: SimulatedLog
  readonly store: SimulatedStore
  readonly coordinator: SimulatedCoordinator
  readonly failures: unknown[] = []
  living: Living[] = []

  constructor(random: () => number) {
    this.clock = new SimulatedClock({ random, wallMs: 1_771_079_401_000 })
    this.log = new SimulatedLog(random, { partitions, messages: 40 })
    this.store = new SimulatedStore(this.clock)
    this.coordinator = new SimulatedCoordinator(this.clock, partitions)
  }

  startWorker(): void {
    let isCrashed = false
    let member: SimulatedMember | undefined
    let fetcher: SimulatedFetcher | undefined
    const inFlight = new Set<number>()
    const alive = <T>(work: () => Promise<T>): Promise<T> => (isCrashed ? new Promise<T>(() => undefined) : work())
    const ports: WorkerPorts = {
      group: (listener) => {
        member = this.coordinator.join(listener)
        return member
      },
      fetcher: (handler) => {
        fetcher = new SimulatedFetcher(this.log, handler, this.clock)
        return fetcher
      },
      earliestOffsets: async (asked) => new Map(asked.map((partition) => [partition, 0])),
      openPositions: (earliest) => alive(() => this.store.open(earliest)),
      readPositions: (asked) => alive(() => this.store.read(asked)),
      comparePositions: (expected) => alive(() => this.store.compare(expected)),
      onConnected: (listener) => this.store.onConnected(() => !isCrashed && listener()),
      commit: (batch) =>
        alive(async () => {
          for (const { partition } of batch.advances) {
            expect(inFlight.has(partition), 'one transaction in flight for a partition').toBe(false)
            inFlight.add(partition)
          }
          try {
            await this.store.commit(batch)
          } finally {
            for (const { partition } of batch.advances) inFlight.delete(partition)
          }
        }),
    }
    const { random } = this.clock
    const worker = new Worker({
      ports,
      reduction,
      batchSize: 1 + Math.floor(random() * 6),
      batchWaitMs: Math.floor(random() * 100),
      lanes: 1 + Math.floor(random() * 3),
      // So few that answers have to be reduced piece by piece.
      maxPendingRows: 1 + Math.floor(random() * 8),
      fatal: (error) => this.failures.push(error),
      log,
      clock: this.clock,
    })
    worker.start()
    const crash = () => {
      isCrashed = true
      void fetcher?.stop()
      if (member) this.coordinator.members.delete(member)
    }
    if (member) this.living.push({ worker, member, crash })
  }

  /** Something happens. */
  act(): void {
    const { random } = this.clock
    const [victim] = this.living.length > 1 ? this.living.splice(Math.floor(random() * this.living.length), 1) : []
    const what = random()
    if (victim && what < 0.15) victim.crash()
    else if (victim && what < 0.3) void victim.worker.stop(500)
    else if (victim) this.living.push(victim)
    if (what > 0.9 && this.living.length < 4) this.startWorker()
    else if (what > 0.8) this.store.goAway(random() * 2000)
    else if (what > 0.75) this.store.backInTime()
    else if (what > 0.7) this.log.cut(Math.floor(random() * partitions))
    else if (what > 0.3) void this.coordinator.moveOne()
  }

  get isDone(): boolean {
    return this.log.partitions.every((messages, partition) => {
      const position = this.store.positions.get(partition)
      if (position === undefined) return messages.length === 0
      return position.nextOffset === messages.length && this.log.divergence(position) === undefined
    })
  }

  /** What has to be counted, by partition: up to each gap, and the log as it is behind the last one. */
  get counted() {
    return this.log.partitions.map((messages, partition) => {
      const from = this.store.countedFrom(partition)
      return [...(this.store.gaps.get(partition) ?? []), { from, messages: messages.slice(from) }]
    })
  }
}

async function simulate(seed: number): Promise<void> {
  const world = new World(mulberry32(seed))
  const { clock, store } = world
  world.startWorker()
  world.startWorker()
  for (let acts = 0; acts < 25; acts++) {
    const untilMs = clock.now() + clock.random() * 150
    await clock.runUntil(() => clock.now() >= untilMs, 150)
    world.act()
  }
  store.isShaky = false
  await clock.runUntil(() => false, 3000)
  world.coordinator.settle()
  const acceptUntilDone = () => {
    if (clock.random() < 0.01) store.acceptGaps(world.log)
    return world.isDone
  }
  expect(await clock.runUntil(acceptUntilDone, 120_000), `seed ${seed}: everything counted in the end`).toBe(true)
  const { counted } = world
  expect(store.rows, `seed ${seed}: rows`).toEqual(rowsOf(counted))
  const bad = counted.flatMap((segments, partition) =>
    segments.flatMap(({ from, messages }) =>
      messages.flatMap(({ isGood }, index) => (isGood ? [] : [`${partition}/${from + index}`])),
    ),
  )
  expect([...store.letters, ...store.archived].sort(), `seed ${seed}: letters`).toEqual(bad.sort())
  expect(world.failures, `seed ${seed}`).toEqual([])
  await expectQuickStop(world, seed)
}

async function expectQuickStop({ clock, living }: World, seed: number): Promise<void> {
  let stopped = 0
  for (const { worker } of living) void worker.stop(2000).then(() => stopped++)
  const isStopped = await clock.runUntil(() => stopped === living.length, 3000)
  expect(isStopped, `seed ${seed}: workers stop within their deadline`).toBe(true)
}

it('every schedule counts every message once', async () => {
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) await simulate(seed)
}, 3_600_000)

function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
