import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { KpiError } from '../../../src/errors.ts'
import type { ChildExit } from '../../../src/process/child.ts'
import { type Part, type RunningPart, Supervisor } from '../../../src/process/supervisor.ts'
import { RecordingLog } from '../../recording-log.ts'
import { SimulatedClock } from '../../simulated-clock.ts'

const killed: ChildExit = { code: null, signal: 'SIGKILL' }
const done: ChildExit = { code: 0, signal: null }

/** What happened to the parts, in order. */
let events: string[]
let clock: SimulatedClock
let log: RecordingLog
let supervisor: Supervisor

beforeEach(() => {
  events = []
  // Without jitter: a wait is the whole of what the backoff allows.
  clock = new SimulatedClock({ random: () => 1 })
  log = new RecordingLog()
  supervisor = new Supervisor({ clock, log })
})

/** A part under the test's control: how its starts go, and when it ends. */
class TestPart implements Part {
  readonly name: string
  readonly stage: number
  readonly stopDeadlineMs: number
  starts = 0
  /** Failures of the next starts. */
  readonly failures: Error[] = []
  /** Holds up starts until it resolves. */
  gate: Promise<void> = Promise.resolve()
  /** Whether it ends when it is asked to. */
  obeys = true
  /** Which errors no other start can change. */
  isFinal = (_error: KpiError): boolean => false
  givenUp = (error: KpiError): void => void events.push(`given up ${this.name}: ${error.message}`)
  /** The error that it ends on. */
  failure = new KpiError('KPI_CHILD_FAILED', 'it ended')
  #end: ((exit: ChildExit) => void) | undefined

  constructor(name: string, options: { stage?: number; stopDeadlineMs?: number } = {}) {
    this.name = name
    this.failure = new KpiError('KPI_CHILD_FAILED', `${name} ended`)
    this.stage = options.stage ?? 0
    this.stopDeadlineMs = options.stopDeadlineMs ?? 1000
  }

  async start(): Promise<RunningPart> {
    const pid = ++this.starts
    await this.gate
    const failure = this.failures.shift()
    if (failure) throw failure
    const ended = Promise.withResolvers<ChildExit>()
    const end = (exit: ChildExit) => {
      this.#end = undefined
      ended.resolve(exit)
    }
    this.#end = end
    return {
      pid,
      exited: ended.promise,
      stop: async (deadlineMs) => {
        events.push(`stop ${this.name} ${deadlineMs}`)
        if (this.obeys) end(done)
        await ended.promise
        events.push(`ended ${this.name}`)
      },
      kill: () => {
        events.push(`kill ${this.name}`)
        end(killed)
      },
      failure: () => this.failure,
    }
  }

  async dies(exit = killed): Promise<void> {
    if (!this.#end) throw new Error(`${this.name} does not run`)
    this.#end(exit)
    await nextTurn()
  }
}

describe('an error that another start cannot change', () => {
  const badFile = new KpiError('KPI_FEED_FILE', 'prices.csv, line 7: no price')
  const wrongSetting = new KpiError('KPI_CONFIG_INVALID', 'BATCH_SIZE=x: must be a number')

  it('ends the part for good, and is reported once, while the others run on', async () => {
    const [feed, worker] = [new TestPart('feed'), new TestPart('worker')]
    feed.isFinal = ({ code }) => code === 'KPI_FEED_FILE'
    await Promise.all([supervisor.start(feed), supervisor.start(worker)])
    feed.failure = badFile
    await feed.dies({ code: 1, signal: null })
    await clock.advance(60_000)
    expect(feed.starts).toBe(1)
    expect(log.lines).toEqual(['error: prices.csv, line 7: no price; feed is not started again'])
    expect(events).toEqual(['given up feed: prices.csv, line 7: no price'])
    await worker.dies()
    await clock.advance(500)
    expect(worker.starts).toBe(2)
    await supervisor.stop(1000)
  })

  it('ends it also when the start after another end fails by it', async () => {
    const feed = new TestPart('feed')
    feed.isFinal = ({ code }) => code === 'KPI_FEED_FILE'
    await supervisor.start(feed)
    feed.failures.push(badFile)
    await feed.dies()
    await clock.advance(60_000)
    expect(feed.starts).toBe(2)
    expect(events).toEqual(['given up feed: prices.csv, line 7: no price'])
    await supervisor.stop(1000)
  })

  it('but that a person can mend is logged once, and tried again quietly until it is mended', async () => {
    const worker = new TestPart('worker')
    await supervisor.start(worker)
    worker.failures.push(wrongSetting, wrongSetting, wrongSetting)
    await worker.dies()
    for (const ms of [500, 1000, 2000, 4000]) await clock.advance(ms)
    expect(worker.starts).toBe(5)
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([
      'error: worker ended',
      'info: starting worker again in 0.5 s',
      'error: BATCH_SIZE=x: must be a number',
      'info: starting worker again in 1.0 s',
      'info: worker runs again (pid 5)',
    ])
    await supervisor.stop(1000)
  })
})

describe('a part that dies', () => {
  it('is started again after half a second, and said to', async () => {
    const part = new TestPart('kafka')
    await supervisor.start(part)
    await part.dies()
    expect(part.starts).toBe(1)
    await clock.advance(499)
    expect(part.starts).toBe(1)
    await clock.advance(1)
    expect(part.starts).toBe(2)
    expect(log.lines).toEqual([
      'error: kafka ended',
      'info: starting kafka again in 0.5 s',
      'info: kafka runs again (pid 2)',
    ])
    await supervisor.stop(1000)
  })

  it('waits twice as long each time, up to ten seconds', async () => {
    const part = new TestPart('kafka')
    await supervisor.start(part)
    for (let round = 0; round < 8; round++) {
      await part.dies()
      await clock.advance(clock.waits.at(-1) ?? 0)
    }
    expect(clock.waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    expect(part.starts).toBe(9)
    await supervisor.stop(1000)
  })

  it('counts a start that fails like one that dies at once, and is not given up', async () => {
    const part = new TestPart('kafka')
    await supervisor.start(part)
    part.failures.push(...Array.from({ length: 3 }, (_, n) => new KpiError('KPI_PORT_BUSY', `busy ${n}`)))
    await part.dies()
    for (const ms of [500, 1000, 2000, 4000]) await clock.advance(ms)
    expect(clock.waits).toEqual([500, 1000, 2000, 4000])
    expect(log.lines.filter((line) => line.startsWith('error'))).toEqual([
      'error: kafka ended',
      'error: busy 0',
      'error: busy 1',
      'error: busy 2',
    ])
    expect(part.starts).toBe(5)
    await supervisor.stop(1000)
  })

  it('starts over with the shortest wait once it ran for five seconds', async () => {
    const part = new TestPart('kafka')
    await supervisor.start(part)
    for (const ranMs of [0, 4999, 5000, 0]) {
      await clock.advance(ranMs)
      await part.dies()
      await clock.advance(clock.waits.at(-1) ?? 0)
    }
    expect(clock.waits).toEqual([500, 1000, 500, 1000])
    await supervisor.stop(1000)
  })

  it('is started again when it ended with 0: no part ends by itself', async () => {
    const part = new TestPart('worker-1')
    await supervisor.start(part)
    await part.dies(done)
    await clock.advance(500)
    expect(part.starts).toBe(2)
    await supervisor.stop(1000)
  })

  it('does not disturb the others', async () => {
    const [one, other] = [new TestPart('worker-1'), new TestPart('worker-2')]
    await Promise.all([supervisor.start(one), supervisor.start(other)])
    await one.dies()
    await clock.advance(500)
    expect([one.starts, other.starts]).toEqual([2, 1])
    await supervisor.stop(1000)
  })
})

describe('the first start', () => {
  it('throws what it failed with, and is not repeated', async () => {
    const part = new TestPart('kafka')
    part.failures.push(new KpiError('KPI_JAVA_MISSING', 'no Java'))
    await expect(supervisor.start(part)).rejects.toMatchObject({ code: 'KPI_JAVA_MISSING' })
    await clock.advance(60_000)
    expect(part.starts).toBe(1)
    await supervisor.stop(1000)
    expect(events).toEqual([])
  })

  it('is refused once the supervisor stops', async () => {
    await supervisor.stop(1000)
    const part = new TestPart('kafka')
    await expect(supervisor.start(part)).rejects.toThrow('stopping')
    expect(part.starts).toBe(0)
  })
})

describe('a stop', () => {
  it('ends the stages one after the other, and what shares one together', async () => {
    const parts = [
      new TestPart('kafka', { stage: 3 }),
      new TestPart('worker-1', { stage: 1 }),
      new TestPart('postgres', { stage: 2 }),
      new TestPart('worker-2', { stage: 1 }),
      new TestPart('feed', { stage: 0 }),
    ]
    for (const part of parts) await supervisor.start(part)
    await supervisor.stop(60_000)
    expect(events.map((event) => event.replace(/ \d+$/, ''))).toEqual([
      ...['stop feed', 'ended feed', 'stop worker-1', 'stop worker-2', 'ended worker-1', 'ended worker-2'],
      ...['stop postgres', 'ended postgres', 'stop kafka', 'ended kafka'],
    ])
  })

  it('gives each part its own deadline, and no more than is left of the whole', async () => {
    const slow = new TestPart('worker-1', { stage: 1, stopDeadlineMs: 6000 })
    slow.obeys = false
    await supervisor.start(slow)
    await supervisor.start(new TestPart('kafka', { stage: 3, stopDeadlineMs: 4000 }))
    const stopped = supervisor.stop(8000)
    await clock.advance(6000)
    await slow.dies()
    await stopped
    expect(events).toEqual(['stop worker-1 6000', 'ended worker-1', 'stop kafka 2000', 'ended kafka'])
  })

  it('starts nothing again', async () => {
    const [dying, dead] = [new TestPart('worker-1'), new TestPart('worker-2')]
    await Promise.all([supervisor.start(dying), supervisor.start(dead)])
    await dead.dies()
    await supervisor.stop(1000)
    await clock.advance(60_000)
    expect([dying.starts, dead.starts]).toEqual([1, 1])
    expect(events).toEqual(['stop worker-1 1000', 'ended worker-1'])
  })

  it('ends a part that becomes ready too late to be asked', async () => {
    const late = new TestPart('kafka')
    const gate = Promise.withResolvers<void>()
    late.gate = gate.promise
    const starting = supervisor.start(late)
    const stopped = supervisor.stop(1000)
    gate.resolve()
    await expect(starting).rejects.toThrow('stopping')
    await stopped
    expect(events).toEqual(['stop kafka 1000', 'ended kafka'])
  })

  it('waits for a restart that is under way', async () => {
    const part = new TestPart('kafka')
    await supervisor.start(part)
    const gate = Promise.withResolvers<void>()
    part.gate = gate.promise
    await part.dies()
    await clock.advance(500)
    let over = false
    const stopped = supervisor.stop(1000).then(() => {
      over = true
    })
    await nextTurn()
    expect(over).toBe(false)
    gate.resolve()
    await stopped
    expect(events).toEqual(['stop kafka 1000', 'ended kafka'])
  })

  it('may be asked for twice', async () => {
    const part = new TestPart('kafka')
    await supervisor.start(part)
    await Promise.all([supervisor.stop(1000), supervisor.stop(1000)])
    expect(events).toEqual(['stop kafka 1000', 'ended kafka'])
  })
})

describe('forceStop', () => {
  it('kills whatever still runs, without waiting for the order', async () => {
    const worker = new TestPart('worker-1', { stage: 1, stopDeadlineMs: 6000 })
    worker.obeys = false
    const kafka = new TestPart('kafka', { stage: 3 })
    await Promise.all([supervisor.start(worker), supervisor.start(kafka)])
    const stopped = supervisor.stop(60_000)
    await nextTurn()
    expect(events).toEqual(['stop worker-1 6000'])
    supervisor.forceStop()
    await stopped
    expect(events).toEqual(['stop worker-1 6000', 'kill worker-1', 'kill kafka', 'ended worker-1'])
    expect([worker.starts, kafka.starts]).toEqual([1, 1])
  })

  it('kills what becomes ready afterwards', async () => {
    const late = new TestPart('kafka')
    const gate = Promise.withResolvers<void>()
    late.gate = gate.promise
    const starting = supervisor.start(late)
    supervisor.forceStop()
    const stopped = supervisor.stop(1000)
    gate.resolve()
    await expect(starting).rejects.toThrow('stopping')
    await stopped
    expect(events[0]).toBe('kill kafka')
  })
})
