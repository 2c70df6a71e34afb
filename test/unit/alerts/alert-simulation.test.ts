// Hours of flapping troubles, outages of the database, receivers that fail and evaluators that are killed, from a seed.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { NotifiedAlert } from '../../../src/alerts/notification.ts'
import type { Signal } from '../../../src/alerts/signal.ts'
import { propertyRuns } from '../kpi/property-runs.ts'
import {
  intervalMs,
  type ReceiverMood,
  SimulatedDatabase,
  SimulatedEvaluator,
  SimulatedReceiver,
  SimulatedTime,
  settled,
} from './simulated-alerting.ts'

/** NoConsumer explains KpiStale; ErrorRateHigh stands alone and fires at once. */
const troubles = ['NoConsumer', 'KpiStale', 'ErrorRateHigh'] as const
type TroubleName = (typeof troubles)[number]

type Step =
  | { readonly kind: 'trouble'; readonly name: TroubleName; readonly severity: Signal['severity'] | undefined }
  | { readonly kind: 'unknown'; readonly name: TroubleName }
  | { readonly kind: 'database'; readonly isUp: boolean }
  | { readonly kind: 'receiver'; readonly index: number; readonly mood: ReceiverMood }
  | { readonly kind: 'kill' | 'restart'; readonly index: number }
  | { readonly kind: 'calm'; readonly observations: number }

const anyTrouble = fc.constantFrom(...troubles)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('trouble' as const),
      name: anyTrouble,
      severity: fc.constantFrom('warning' as const, 'critical' as const, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown' as const), name: anyTrouble }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('database' as const), isUp: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('receiver' as const),
      index: fc.nat(1),
      mood: fc.constantFrom<ReceiverMood>('well', 'away', 'lossy', 'refusing'),
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

/** The two evaluators look at different moments. */
const apartMs = 7000
/** `for` and an unlucky beginning, the longest wait before a receiver is tried again, and a change of leaders. */
const patienceLooks = 3 + 5 + 2

class Simulation {
  readonly time = new SimulatedTime()
  readonly database = new SimulatedDatabase()
  readonly receivers = [new SimulatedReceiver('desk'), new SimulatedReceiver('night')]
  readonly present = new Map<TroubleName, Signal['severity'] | 'unknown'>()
  readonly evaluators: SimulatedEvaluator[] = []
  readonly violations: string[] = []
  readonly hasRefused = new Set<string>()
  hasLostMemory = false
  #ids = 0
  #steadyChecks = 0
  #looksUntilSaved = 0

  constructor() {
    for (const index of [0, 1]) this.evaluators[index] = this.#start(index)
  }

  #start(index: number): SimulatedEvaluator {
    const { time, database, receivers } = this
    const newId = () => `id-${++this.#ids}`
    const look = () => this.signals()
    return new SimulatedEvaluator({ name: `evaluator-${index}`, time, database, receivers, look, newId })
  }

  signals(): Signal[] {
    const base = { stage: 'consumer', labels: {}, summary: 'trouble', value: 1, unit: null } as const
    const away = { ...base, rule: 'PostgresUnreachable', stage: 'postgres', severity: 'critical' } as const
    const found = [...this.present].map(([rule, severity]): Signal => {
      const isUnknown = severity === 'unknown' || !this.database.isUp
      const inhibitedBy = rule === 'KpiStale' && this.#isFound('NoConsumer') ? 'NoConsumer' : null
      return { ...base, rule, severity: severity === 'unknown' ? 'info' : severity, isUnknown, inhibitedBy }
    })
    return this.database.isUp ? found : [...found, { ...away, isUnknown: false, inhibitedBy: null }]
  }

  #isFound(name: TroubleName): boolean {
    return this.present.has(name) && this.present.get(name) !== 'unknown'
  }

  async take(step: Step): Promise<void> {
    const { database } = this
    if (step.kind === 'trouble' && step.severity) this.present.set(step.name, step.severity)
    if (step.kind === 'trouble' && !step.severity) this.present.delete(step.name)
    if (step.kind === 'unknown') this.present.set(step.name, 'unknown')
    if (step.kind === 'database' && step.isUp) database.isUp = true
    if (step.kind === 'database' && !step.isUp) this.#loseDatabase()
    if (step.kind === 'receiver') this.#changeMood(step.index, step.mood)
    if (step.kind === 'kill') this.#kill(step.index)
    if (step.kind === 'restart' && !this.evaluators[step.index]?.isAlive)
      this.evaluators[step.index] = this.#start(step.index)
    if (step.kind !== 'calm') this.#steadyChecks = 0
    for (let look = 0; look < (step.kind === 'calm' ? step.observations : 1); look += 1) await this.look()
  }

  #changeMood(index: number, mood: ReceiverMood): void {
    const receiver = this.receivers[index]
    if (!receiver) return
    receiver.mood = mood
    if (mood === 'refusing') this.hasRefused.add(receiver.name)
  }

  #loseDatabase(): void {
    this.database.goAway()
    this.#looksUntilSaved = patienceLooks
  }

  #kill(index: number): void {
    // What was told while the database was away only its teller knows, until all have heard the end: a kill loses it.
    if (this.#looksUntilSaved > 0) this.hasLostMemory = true
    this.evaluators[index]?.kill()
  }

  async look(): Promise<void> {
    await this.evaluators[0]?.evaluate()
    await this.time.pass(apartMs)
    await this.evaluators[1]?.evaluate()
    await this.time.pass(intervalMs - apartMs)
    await settled()
    this.#noteSymptomsTold()
    const isWell = this.database.isUp && this.receivers.every(({ mood }) => mood === 'well')
    if (isWell) this.#looksUntilSaved -= 1
    this.#steadyChecks += 1
    if (this.#steadyChecks >= patienceLooks) this.#noteMissed()
  }

  #noteSymptomsTold(): void {
    if (!this.#isFound('NoConsumer') || !this.#isFound('KpiStale') || this.#steadyChecks < 1) return
    for (const { name, heard } of this.receivers) {
      for (const { notification, atMs } of heard) {
        const isNew = atMs > this.time.wallMs() - intervalMs && notification.sentAtMs === atMs
        const isSymptom = notification.alerts.some(({ rule }) => rule === 'KpiStale')
        if (isNew && isSymptom && notification.status === 'firing') this.violations.push(`${name} is told of a symptom`)
      }
    }
  }

  /** All has stood as it is for a while: each receiver that is well knows each trouble that it should. */
  #noteMissed(): void {
    if (!this.database.isUp || !this.evaluators.some(({ isAlive }) => isAlive)) return
    for (const name of troubles) {
      const isDue = this.#isFound(name) && !(name === 'KpiStale' && this.#isFound('NoConsumer'))
      for (const receiver of this.receivers.filter(({ mood }) => mood === 'well')) {
        if (!isDue || this.hasLostMemory || this.hasRefused.has(receiver.name)) continue
        if (this.lastHeard(receiver, name) !== 'firing') this.violations.push(`${receiver.name} is not told of ${name}`)
      }
    }
  }

  lastHeard({ heard }: SimulatedReceiver, rule: string): NotifiedAlert['state'] | undefined {
    const alerts = heard.flatMap(({ notification, isFirst }) => (isFirst ? notification.alerts : []))
    return alerts.findLast((alert) => alert.rule === rule)?.state
  }

  /** All is well again, for long enough that everybody hears of it. */
  async heal(): Promise<void> {
    this.present.clear()
    this.database.isUp = true
    for (const receiver of this.receivers) receiver.mood = 'well'
    for (const index of [0, 1]) await this.take({ kind: 'restart', index })
    for (let look = 0; look < 20; look += 1) await this.look()
  }
}

/**
 * What a receiver heard of each episode, in its order; a notification that came twice counts once.
 *
 * @param isMerged - An evaluator that took over may have joined what two had told of: all episodes of an alert count as one.
 */
function episodesHeard({ heard }: SimulatedReceiver, isMerged: boolean): Map<string, NotifiedAlert['state'][]> {
  const episodes = new Map<string, NotifiedAlert['state'][]>()
  for (const { notification, isFirst } of heard) {
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

it('whatever happens: no RESOLVED without its FIRING, none twice, no symptom told, nothing missed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const simulation = await simulate(steps)
      expect(simulation.violations).toEqual([])
      for (const receiver of simulation.receivers) {
        const { hasLostMemory, hasRefused } = simulation
        for (const [episode, states] of episodesHeard(receiver, hasLostMemory)) {
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
