// A pipeline with problems, a database and receivers that fail and recover, and evaluators that are killed: hours in milliseconds.
import { timingsAt } from '../../../src/alerts/alert-rules.ts'
import type { AlertChanges, AlertStore, Dispatch } from '../../../src/alerts/alert-store.ts'
import type { Episode } from '../../../src/alerts/episode.ts'
import { AlertEvaluator } from '../../../src/alerts/evaluator.ts'
import type { Delivery, Notification, Notifier } from '../../../src/alerts/notification.ts'
import type { AlertClock } from '../../../src/alerts/notification-sender.ts'
import type { Signal } from '../../../src/alerts/signal.ts'
import type { Silence } from '../../../src/alerts/silence.ts'
import { KpiError } from '../../../src/errors.ts'
import { createLogger } from '../../../src/log.ts'

export const intervalMs = 15_000
const startMs = 1_771_079_400_000

export class SimulatedTime implements AlertClock {
  #nowMs = startMs
  #timers: { readonly atMs: number; readonly resolve: () => void }[] = []

  readonly wallMs = (): number => this.#nowMs
  readonly random = (): number => 0.5

  pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.push({ atMs: this.#nowMs + ms, resolve })
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Everything that is due happens at its time. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (!due) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.resolve()
      await settled()
    }
    this.#nowMs = endMs
  }
}

/** All that can happen without time passing. */
export function settled(): Promise<void> {
  return new Promise(setImmediate)
}

/** What outlives evaluators. Its sessions, and the lead with them, end when it fails. */
export class SimulatedDatabase {
  isUp = true
  silences: Silence[] = []
  readonly episodes = new Map<string, Episode>()
  readonly sending = new Map<string, Dispatch>()
  #holder: object | undefined
  #generation = 0

  fail(): void {
    this.isUp = false
    this.#generation += 1
    this.#holder = undefined
  }

  /** @param isAlive - Of the evaluator: one that was killed writes nothing more. */
  async open(isAlive: () => boolean): Promise<AlertStore & { kill(): void }> {
    const generation = this.#generation
    const session = {}
    const check = () => {
      if (!this.isUp || generation !== this.#generation || !isAlive()) {
        throw new KpiError('KPI_POSTGRES_UNREACHABLE', 'the database is unavailable')
      }
    }
    check()
    const leave = () => {
      if (this.#holder === session) this.#holder = undefined
    }
    return {
      takeLead: async () => {
        check()
        this.#holder ??= session
        return this.#holder === session
      },
      load: async () => {
        check()
        return { episodes: [...this.episodes.values()], sending: [...this.sending.values()] }
      },
      silences: async () => {
        check()
        return this.silences
      },
      save: async (changes) => {
        check()
        this.#save(changes)
      },
      close: async () => leave(),
      kill: leave,
    }
  }

  #save({ episodes, forgotten, dispatches }: AlertChanges): void {
    for (const id of forgotten) if (this.episodes.get(id)?.state === 'pending') this.episodes.delete(id)
    for (const episode of episodes) this.episodes.set(episode.id, episode)
    for (const { outcome, attempts: _, detail: __, ...dispatch } of dispatches) {
      if (outcome === 'sending') this.sending.set(dispatch.notification.id, dispatch)
      else this.sending.delete(dispatch.notification.id)
    }
  }
}

/** `lossy` takes a notification, but its answer is lost. */
export type ReceiverState = 'well' | 'down' | 'lossy' | 'refusing'

export interface Received {
  readonly notification: Notification
  readonly atMs: number
  /** The first time this one came. */
  readonly isFirst: boolean
}

/** Takes notifications from all evaluators. */
export class SimulatedReceiver {
  readonly name: string
  state: ReceiverState = 'well'
  readonly received: Received[] = []
  #ids = new Set<string>()

  constructor(name: string) {
    this.name = name
  }

  take(notification: Notification, atMs: number): Delivery {
    if (this.state === 'down') return { outcome: 'retryable', reason: 'does not answer' }
    if (this.state === 'refusing') return { outcome: 'permanent', reason: 'not allowed' }
    this.received.push({ notification, atMs, isFirst: !this.#ids.has(notification.id) })
    this.#ids.add(notification.id)
    return this.state === 'lossy' ? { outcome: 'retryable', reason: 'the answer was lost' } : { outcome: 'delivered' }
  }
}

/** One process; `kill` is SIGKILL. */
export class SimulatedEvaluator {
  readonly evaluator: AlertEvaluator
  #isAlive = true
  #store: (AlertStore & { kill(): void }) | undefined

  constructor(options: {
    readonly name: string
    readonly time: SimulatedTime
    readonly database: SimulatedDatabase
    readonly receivers: readonly SimulatedReceiver[]
    readonly observe: () => readonly Signal[]
    readonly newId: () => string
  }) {
    const { time, database, receivers } = options
    this.evaluator = new AlertEvaluator({
      observe: async () => options.observe(),
      openStore: async () => {
        this.#store = await database.open(() => this.#isAlive)
        return this.#store
      },
      notifiers: receivers.map((receiver) => this.#notifier(receiver, time)),
      timingOf: timingsAt(intervalMs, new Map()),
      context: {
        source: { topic: 't', group: 'g', evaluator: options.name },
        runbookBaseUrl: undefined,
        places: { kafka: 'k:9092', postgres: 'p:5432/d' },
      },
      intervalMs,
      clock: time,
      newId: options.newId,
      log: createLogger({ level: 'silent', format: 'json' }),
    })
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  async evaluate(): Promise<void> {
    if (!this.#isAlive) return
    await this.evaluator.evaluate()
    await settled()
  }

  kill(): void {
    this.#isAlive = false
    this.#store?.kill()
  }

  #notifier(receiver: SimulatedReceiver, time: SimulatedTime): Notifier {
    return {
      name: receiver.name,
      isForMachines: false,
      // A killed process sends nothing and gets no answer.
      deliver: async (notification) =>
        this.#isAlive ? receiver.take(notification, time.wallMs()) : new Promise<Delivery>(() => undefined),
      close: async () => undefined,
    }
  }
}
