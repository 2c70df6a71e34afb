// Hours of flapping alerts, outages of the database, receivers that fail and evaluators that are killed, from a seed.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { NotifiedAlert } from '../../../src/alerts/notification.ts'
import type { Signal } from '../../../src/alerts/signal.ts'
import { propertyRuns } from '../kpi/property-runs.ts'
import {
  intervalMs,
  type ReceiverState,
  SimulatedDatabase,
  SimulatedEvaluator,
  SimulatedReceiver,
  SimulatedTime,
  settled,
} from './simulated-alerting.ts'

/** NoConsumer explains KpiStale; ErrorRateHigh is independent and fires at once. */
const problems = ['NoConsumer', 'KpiStale', 'ErrorRateHigh'] as const
type ProblemName = (typeof problems)[number]

type Step =
  | { readonly kind: 'problem'; readonly name: ProblemName; readonly severity: Signal['severity'] | undefined }
  | { readonly kind: 'unknown'; readonly name: ProblemName }
  | { readonly kind: 'database'; readonly isUp: boolean }
  | { readonly kind: 'receiver'; readonly index: number; readonly state: ReceiverState }
  | { readonly kind: 'kill' | 'restart'; readonly index: number }
  | { readonly kind: 'calm'; readonly observations: number }

const anyProblem = fc.constantFrom(...problems)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('problem' as const),
      name: anyProblem,
      severity: fc.constantFrom('warning' as const, 'critical' as const, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown' as const), name: anyProblem }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('database' as const), isUp: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('receiver' as const),
      index: fc.nat(1),
      state: fc.constantFrom<ReceiverState>('well', 'down', 'lossy', 'refusing'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('kill' as const, 'restart' as const), index: fc.nat(1) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('calm' as const), observations: fc.integer({ min: 1, max: 12 }) }),
  },
)

/** The two evaluators observe at different moments. */
const apartMs = 7000
/** `for` and an unlucky beginning, the longest wait before a receiver is tried again, and a change of leaders. */
const steadyObservations = 3 + 5 + 2

class Simulation {
  readonly time = new SimulatedTime()
  readonly database = new SimulatedDatabase()
  readonly receivers = [new SimulatedReceiver('desk'), new SimulatedReceiver('night')]
  readonly present = new Map<ProblemName, Signal['severity'] | 'unknown'>()
  readonly evaluators: SimulatedEvaluator[] = []
  readonly violations: string[] = []
  readonly hasRefused = new Set<string>()
  hasLostMemory = false
  #ids = 0
  #observationsUnchanged = 0
  #observationsUntilSaved = 0

  constructor() {
    for (const index of [0, 1]) this.evaluators[index] = this.#start(index)
  }

  #start(index: number): SimulatedEvaluator {
    const { time, database, receivers } = this
    const newId = () => `id-${++this.#ids}`
    const observe = () => this.signals()
    return new SimulatedEvaluator({ name: `evaluator-${index}`, time, database, receivers, observe, newId })
  }

  signals(): Signal[] {
    const base = { stage: 'consumer', labels: {}, summary: 'a problem', value: 1, unit: null } as const
    const unreachable = { ...base, rule: 'PostgresUnreachable', stage: 'postgres', severity: 'critical' } as const
    const found = [...this.present].map(([rule, severity]): Signal => {
      const isUnknown = severity === 'unknown' || !this.database.isUp
      const inhibitedBy = rule === 'KpiStale' && this.#isFound('NoConsumer') ? 'NoConsumer' : null
      return { ...base, rule, severity: severity === 'unknown' ? 'info' : severity, isUnknown, inhibitedBy }
    })
    return this.database.isUp ? found : [...found, { ...unreachable, isUnknown: false, inhibitedBy: null }]
  }

  #isFound(name: ProblemName): boolean {
    return this.present.has(name) && this.present.get(name) !== 'unknown'
  }

  async take(step: Step): Promise<void> {
    const { database } = this
    if (step.kind === 'problem' && step.severity) this.present.set(step.name, step.severity)
    if (step.kind === 'problem' && !step.severity) this.present.delete(step.name)
    if (step.kind === 'unknown') this.present.set(step.name, 'unknown')
    if (step.kind === 'database' && step.isUp) database.isUp = true
    if (step.kind === 'database' && !step.isUp) this.#loseDatabase()
    if (step.kind === 'receiver') this.#changeState(step.index, step.state)
    if (step.kind === 'kill') this.#kill(step.index)
    if (step.kind === 'restart' && !this.evaluators[step.index]?.isAlive)
      this.evaluators[step.index] = this.#start(step.index)
    if (step.kind !== 'calm') this.#observationsUnchanged = 0
    for (let count = step.kind === 'calm' ? step.observations : 1; count > 0; count -= 1) await this.observe()
  }

  #changeState(index: number, state: ReceiverState): void {
    const receiver = this.receivers[index]
    if (!receiver) return
    receiver.state = state
    if (state === 'refusing') this.hasRefused.add(receiver.name)
  }

  #loseDatabase(): void {
    this.database.fail()
    this.#observationsUntilSaved = steadyObservations
  }

  #kill(index: number): void {
    // What was sent while the database was unavailable only its sender knows, until all have got the end: a kill loses it.
    if (this.#observationsUntilSaved > 0) this.hasLostMemory = true
    this.evaluators[index]?.kill()
  }

  async observe(): Promise<void> {
    await this.evaluators[0]?.evaluate()
    await this.time.pass(apartMs)
    await this.evaluators[1]?.evaluate()
    await this.time.pass(intervalMs - apartMs)
    await settled()
    this.#noteSymptomsSent()
    const isWell = this.database.isUp && this.receivers.every(({ state }) => state === 'well')
    if (isWell) this.#observationsUntilSaved -= 1
    this.#observationsUnchanged += 1
    if (this.#observationsUnchanged >= steadyObservations) this.#noteMissed()
  }

  /** Without the database no rule can be judged, so that an evaluator cannot know that one explains the other. */
  #noteSymptomsSent(): void {
    if (!this.#isFound('NoConsumer') || !this.#isFound('KpiStale')) return
    if (!this.database.isUp || this.#observationsUnchanged < 1) return
    for (const { name, received } of this.receivers) {
      for (const { notification, atMs } of received) {
        const isNew = atMs > this.time.wallMs() - intervalMs && notification.sentAtMs === atMs
        const isSymptom = notification.alerts.some(({ rule }) => rule === 'KpiStale')
        if (isNew && isSymptom && notification.status === 'firing') this.violations.push(`${name} got a symptom`)
      }
    }
  }

  /** Nothing has changed for a while: each receiver that is well knows each problem that it should. */
  #noteMissed(): void {
    if (!this.database.isUp || !this.evaluators.some(({ isAlive }) => isAlive)) return
    for (const name of problems) {
      const isDue = this.#isFound(name) && !(name === 'KpiStale' && this.#isFound('NoConsumer'))
      for (const receiver of this.receivers.filter(({ state }) => state === 'well')) {
        if (!isDue || this.hasLostMemory || this.hasRefused.has(receiver.name)) continue
        if (this.lastReceived(receiver, name) !== 'firing') this.violations.push(`${receiver.name} did not get ${name}`)
      }
    }
  }

  lastReceived({ received }: SimulatedReceiver, rule: string): NotifiedAlert['state'] | undefined {
    const alerts = received.flatMap(({ notification, isFirst }) => (isFirst ? notification.alerts : []))
    return alerts.findLast((alert) => alert.rule === rule)?.state
  }

  /** All is well again, for long enough that every receiver gets the ends. */
  async heal(): Promise<void> {
    this.present.clear()
    this.database.isUp = true
    for (const receiver of this.receivers) receiver.state = 'well'
    for (const index of [0, 1]) await this.take({ kind: 'restart', index })
    for (let count = 0; count < 20; count += 1) await this.observe()
  }
}

/**
 * What a receiver got about each episode, in its order; a notification that came twice counts once.
 *
 * @param isMerged - An evaluator that took over may have merged the episodes of two: all episodes of an alert count as one.
 */
function episodesReceived({ received }: SimulatedReceiver, isMerged: boolean): Map<string, NotifiedAlert['state'][]> {
  const episodes = new Map<string, NotifiedAlert['state'][]>()
  for (const { notification, isFirst } of received) {
    if (!isFirst || notification.reason === 'repeat') continue
    for (const { rule, fingerprint, firedAtMs, state } of notification.alerts) {
      const key = `${rule} ${fingerprint} ${isMerged ? '' : firedAtMs}`
      episodes.set(key, [...(episodes.get(key) ?? []), state])
    }
  }
  return episodes
}

async function simulate(steps: readonly Step[]): Promise<Simulation> {
  const simulation = new Simulation()
  for (const one of steps) await simulation.take(one)
  await simulation.heal()
  return simulation
}

it('whatever happens: no RESOLVED without its FIRING, none twice, no symptom sent, nothing missed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const simulation = await simulate(steps)
      expect(simulation.violations).toEqual([])
      for (const receiver of simulation.receivers) {
        const { hasLostMemory, hasRefused } = simulation
        for (const [episode, states] of episodesReceived(receiver, hasLostMemory)) {
          expect([episode, states[0]]).toEqual([episode, 'firing'])
          if (hasLostMemory) continue
          const ends = states.filter((state) => state === 'resolved').length
          expect(ends, `${episode}: ${states}`).toBeLessThanOrEqual(1)
          if (ends > 0) expect([episode, states.at(-1)]).toEqual([episode, 'resolved'])
          // A receiver that refuses is failing until it takes the next one.
          const isSure = !hasRefused.has(receiver.name) && !episode.startsWith('NotifierFailing')
          if (isSure) expect([episode, ends]).toEqual([episode, 1])
        }
      }
    }),
    { ...propertyRuns, numRuns: Math.max(50, Math.floor(propertyRuns.numRuns / 2)) },
  )
}, 120_000)
