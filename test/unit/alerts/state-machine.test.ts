// Each transition of an episode, with the clock in hand.
import { describe, expect, it } from 'vitest'
import { timingsAt } from '../../../src/alerts/alert-rules.ts'
import type { Episode } from '../../../src/alerts/episode.ts'
import type { Signal } from '../../../src/alerts/signal.ts'
import { advance, maxUnknownMs } from '../../../src/alerts/state-machine.ts'

const intervalMs = 15_000
const startMs = 1_771_079_400_000

function signal(rule: string, more: Partial<Signal> = {}): Signal {
  return {
    rule,
    severity: 'warning',
    stage: 'consumer',
    labels: {},
    summary: 'a problem',
    value: 1,
    unit: null,
    isUnknown: false,
    inhibitedBy: null,
    ...more,
  }
}

class Machine {
  episodes: readonly Episode[] = []
  nowMs = startMs
  #lastAtMs: number | null = null
  #ids = 0
  readonly #timingOf = timingsAt(intervalMs, new Map([['Slow', 60_000]]))

  /** One observation, an interval after the last by default. @returns The states of what is open, or just ended. */
  observe(signals: readonly Signal[], afterMs = intervalMs): string[] {
    if (this.#lastAtMs !== null) this.nowMs += afterMs
    const open = this.episodes.filter(({ state }) => state !== 'resolved')
    const observation = { atMs: this.nowMs, lastAtMs: this.#lastAtMs, intervalMs, signals }
    this.episodes = advance(open, observation, { timingOf: this.#timingOf, newId: () => `e${++this.#ids}` })
    this.#lastAtMs = this.nowMs
    return this.episodes.map(({ state }) => state)
  }
}

const fact = signal('ErrorRateHigh')
const confirmed = signal('NoConsumer')
const unknownFact = signal('ErrorRateHigh', { severity: 'info', isUnknown: true })

describe('begins', () => {
  it.each<[string, Signal, string[][]]>([
    ['a fact fires at the first observation', fact, [['firing'], ['firing']]],
    ['what must be confirmed fires at the second', confirmed, [['pending'], ['firing']]],
    [
      'what varies about its threshold fires at the third',
      signal('ConsumerLagHigh'),
      [['pending'], ['pending'], ['firing']],
    ],
    [
      'a rule of market-kpi.yaml fires after its `for`',
      signal('Slow'),
      [['pending'], ['pending'], ['pending'], ['pending'], ['firing']],
    ],
    ['a symptom never fires', { ...fact, inhibitedBy: 'NoConsumer' }, [[], []]],
    ['what cannot be judged never fires', unknownFact, [[], []]],
  ])('%s', (_, found, states) => {
    const machine = new Machine()
    expect(states.map(() => machine.observe([found]))).toEqual(states)
  })

  it('with observations that come a little early or late', () => {
    const machine = new Machine()
    expect(machine.observe([confirmed])).toEqual(['pending'])
    expect(machine.observe([confirmed], intervalMs - 800)).toEqual(['firing'])
  })

  it('again from pending when it was clear while it was pending', () => {
    const machine = new Machine()
    expect([[confirmed], [], [confirmed], [confirmed]].map((s) => machine.observe(s))).toEqual([
      ['pending'],
      [],
      ['pending'],
      ['firing'],
    ])
  })

  it('again from pending once its cause is gone: one bad observation after a repair fires nothing', () => {
    const machine = new Machine()
    const symptom = { ...confirmed, inhibitedBy: 'KafkaUnreachable' }
    const observations = [[confirmed], [symptom], [symptom], [symptom], [confirmed], []]
    expect(observations.map((s) => machine.observe(s))).toEqual([['pending'], [], [], [], ['pending'], []])
  })
})

describe('ends', () => {
  it('after two clear observations, once', () => {
    const machine = new Machine()
    expect([[fact], [], [], []].map((s) => machine.observe(s))).toEqual([['firing'], ['firing'], ['resolved'], []])
  })

  it('not in between when it flaps: one episode (prometheus/alertmanager#204)', () => {
    const machine = new Machine()
    machine.observe([fact])
    const [{ id } = { id: '' }] = machine.episodes
    for (let flap = 0; flap < 50; flap += 1) {
      expect(machine.observe([])).toEqual(['firing'])
      expect(machine.observe([fact])).toEqual(['firing'])
    }
    expect(machine.episodes[0]?.id).toBe(id)
  })

  it('not while it cannot be judged, and continues to count after that', () => {
    const machine = new Machine()
    const observations = [[fact], [], [unknownFact], [unknownFact], []]
    expect(observations.map((s) => machine.observe(s))).toEqual([
      ['firing'],
      ['firing'],
      ['firing'],
      ['firing'],
      ['resolved'],
    ])
  })

  it('when it could not be judged for an hour, and keeps since when: no alert lasts forever (linkedin/Burrow#504, #589)', () => {
    const machine = new Machine()
    machine.observe([fact])
    for (let ms = 0; ms < maxUnknownMs; ms += intervalMs) expect(machine.observe([unknownFact])).toEqual(['firing'])
    expect(machine.observe([unknownFact])).toEqual(['resolved'])
    const [episode] = machine.episodes
    expect((episode?.resolvedAtMs ?? 0) - (episode?.unknownSinceMs ?? 0)).toBe(maxUnknownMs)
  })

  it('not because a rule could not observe: no RESOLVED because the database failed', () => {
    const machine = new Machine()
    const unreachable = signal('PostgresUnreachable', { severity: 'critical' })
    machine.observe([fact])
    for (let count = 0; count < 10; count += 1) machine.observe([unreachable])
    expect(machine.episodes.map(({ rule, state }) => `${rule} ${state}`)).toEqual([
      'ErrorRateHigh firing',
      'PostgresUnreachable firing',
    ])
    machine.observe([])
    expect(machine.observe([])).toEqual(['resolved', 'resolved'])
  })

  it('for each of its labels separately; an unknown finding keeps those that it matches', () => {
    const machine = new Machine()
    const of = (symbol: string) => signal('KafkaDiskHigh', { labels: { symbol } })
    machine.observe([of('A'), of('B')])
    const unknown = signal('KafkaDiskHigh', { isUnknown: true, labels: { symbol: 'B' } })
    machine.observe([unknown])
    expect(machine.observe([unknown])).toEqual(['resolved', 'firing'])
  })
})

describe('continues', () => {
  it('as one episode when its severity changes', () => {
    const machine = new Machine()
    machine.observe([fact])
    machine.observe([{ ...fact, severity: 'critical' }])
    machine.observe([fact])
    expect(machine.episodes).toMatchObject([{ id: 'e1', state: 'firing', severity: 'warning' }])
  })

  it('as a symptom, and as itself again', () => {
    const machine = new Machine()
    machine.observe([fact])
    machine.observe([{ ...fact, inhibitedBy: 'ClockSkew' }])
    expect(machine.episodes[0]?.inhibitedBy).toBe('ClockSkew')
    machine.observe([fact])
    expect(machine.episodes[0]?.inhibitedBy).toBeNull()
  })

  it('with the more severe of two findings of one alert', () => {
    const machine = new Machine()
    machine.observe([fact, { ...fact, severity: 'critical' }, { ...fact, severity: 'info' }])
    expect(machine.episodes).toMatchObject([{ severity: 'critical' }])
  })
})

describe('a clock that jumps', () => {
  it.each([
    ['ahead', 86_400_000],
    ['back', -86_400_000],
  ])('%s fires nothing early and resolves nothing early', (_, jumpMs) => {
    const machine = new Machine()
    machine.observe([signal('Slow')])
    machine.observe([signal('Slow')], jumpMs)
    expect(machine.episodes[0]?.state).toBe('pending')
    machine.observe([signal('Slow')])
    machine.observe([signal('Slow')])
    expect(machine.observe([signal('Slow')])).toEqual(['firing'])
    machine.observe([])
    expect(machine.observe([], jumpMs)).toEqual(['resolved'])
  })

  it('repeats no notification early', () => {
    const machine = new Machine()
    machine.observe([fact])
    const deliveries = { desk: { status: 'firing', severity: 'warning', atMs: machine.nowMs, isShared: true } } as const
    machine.episodes = machine.episodes.map((episode) => ({ ...episode, deliveries }))
    machine.observe([fact], 86_400_000)
    expect(machine.nowMs - (machine.episodes[0]?.deliveries.desk?.atMs ?? 0)).toBe(intervalMs)
  })
})
