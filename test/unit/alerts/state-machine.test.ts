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
    summary: 'trouble',
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

  /** One look, an interval after the last unless told. @returns State and severity of what is open, or of what just ended. */
  look(signals: readonly Signal[], afterMs = intervalMs): string[] {
    if (this.#lastAtMs !== null) this.nowMs += afterMs
    const open = this.episodes.filter(({ state }) => state !== 'resolved')
    const look = { atMs: this.nowMs, lastAtMs: this.#lastAtMs, intervalMs, signals }
    this.episodes = advance(open, look, { timingOf: this.#timingOf, newId: () => `e${++this.#ids}` })
    this.#lastAtMs = this.nowMs
    return this.episodes.map(({ state }) => state)
  }
}

const fact = signal('ErrorRateHigh')
const confirmed = signal('NoConsumer')
const unknownFact = signal('ErrorRateHigh', { severity: 'info', isUnknown: true })

describe('begins', () => {
  it.each<[string, Signal, string[][]]>([
    ['a fact fires at the first look', fact, [['firing'], ['firing']]],
    ['what wants confirming fires at the second', confirmed, [['pending'], ['firing']]],
    ['what swings at the third', signal('ConsumerLagHigh'), [['pending'], ['pending'], ['firing']]],
    [
      'a rule of one’s own after its `for`',
      signal('Slow'),
      [['pending'], ['pending'], ['pending'], ['pending'], ['firing']],
    ],
    ['a symptom never', { ...fact, inhibitedBy: 'NoConsumer' }, [[], []]],
    ['what cannot be told never', unknownFact, [[], []]],
  ])('%s', (_, found, states) => {
    const machine = new Machine()
    expect(states.map(() => machine.look([found]))).toEqual(states)
  })

  it('with looks that come a little early or late', () => {
    const machine = new Machine()
    expect(machine.look([confirmed])).toEqual(['pending'])
    expect(machine.look([confirmed], intervalMs - 800)).toEqual(['firing'])
  })

  it('anew when it was clear while it was pending', () => {
    const machine = new Machine()
    expect([[confirmed], [], [confirmed], [confirmed]].map((s) => machine.look(s))).toEqual([
      ['pending'],
      [],
      ['pending'],
      ['firing'],
    ])
  })

  it('anew once its cause is gone: what a repair leaves behind for a look fires nothing', () => {
    const machine = new Machine()
    const symptom = { ...confirmed, inhibitedBy: 'KafkaUnreachable' }
    const observations = [[confirmed], [symptom], [symptom], [symptom], [confirmed], []]
    expect(observations.map((s) => machine.look(s))).toEqual([['pending'], [], [], [], ['pending'], []])
  })
})

describe('ends', () => {
  it('after two clear looks, once', () => {
    const machine = new Machine()
    expect([[fact], [], [], []].map((s) => machine.look(s))).toEqual([['firing'], ['firing'], ['resolved'], []])
  })

  it('not in between when it flaps: one episode (prometheus/alertmanager#204)', () => {
    const machine = new Machine()
    machine.look([fact])
    const [{ id } = { id: '' }] = machine.episodes
    for (let flap = 0; flap < 50; flap += 1) {
      expect(machine.look([])).toEqual(['firing'])
      expect(machine.look([fact])).toEqual(['firing'])
    }
    expect(machine.episodes[0]?.id).toBe(id)
  })

  it('not while nobody can tell, and goes on counting after that', () => {
    const machine = new Machine()
    const observations = [[fact], [], [unknownFact], [unknownFact], []]
    expect(observations.map((s) => machine.look(s))).toEqual([
      ['firing'],
      ['firing'],
      ['firing'],
      ['firing'],
      ['resolved'],
    ])
  })

  it('when nobody could tell for an hour, and keeps since when: nothing alerts for ever (linkedin/Burrow#504, #589)', () => {
    const machine = new Machine()
    machine.look([fact])
    for (let ms = 0; ms < maxUnknownMs; ms += intervalMs) expect(machine.look([unknownFact])).toEqual(['firing'])
    expect(machine.look([unknownFact])).toEqual(['resolved'])
    const [episode] = machine.episodes
    expect((episode?.resolvedAtMs ?? 0) - (episode?.unknownSinceMs ?? 0)).toBe(maxUnknownMs)
  })

  it('not by the silence of a rule that could not see: no RESOLVED because the database died', () => {
    const machine = new Machine()
    const away = signal('PostgresUnreachable', { severity: 'critical' })
    machine.look([fact])
    for (let look = 0; look < 10; look += 1) machine.look([away])
    expect(machine.episodes.map(({ rule, state }) => `${rule} ${state}`)).toEqual([
      'ErrorRateHigh firing',
      'PostgresUnreachable firing',
    ])
    machine.look([])
    expect(machine.look([])).toEqual(['resolved', 'resolved'])
  })

  it('for each of its labels alone, and an unknown one holds those it fits', () => {
    const machine = new Machine()
    const of = (symbol: string) => signal('KafkaDiskHigh', { labels: { symbol } })
    machine.look([of('A'), of('B')])
    const unknown = signal('KafkaDiskHigh', { isUnknown: true, labels: { symbol: 'B' } })
    machine.look([unknown])
    expect(machine.look([unknown])).toEqual(['resolved', 'firing'])
  })
})

describe('goes on', () => {
  it('as one episode when its severity changes', () => {
    const machine = new Machine()
    machine.look([fact])
    machine.look([{ ...fact, severity: 'critical' }])
    machine.look([fact])
    expect(machine.episodes).toMatchObject([{ id: 'e1', state: 'firing', severity: 'warning' }])
  })

  it('as a symptom, and as itself again', () => {
    const machine = new Machine()
    machine.look([fact])
    machine.look([{ ...fact, inhibitedBy: 'ClockSkew' }])
    expect(machine.episodes[0]?.inhibitedBy).toBe('ClockSkew')
    machine.look([fact])
    expect(machine.episodes[0]?.inhibitedBy).toBeNull()
  })

  it('takes the graver of two findings of one alert', () => {
    const machine = new Machine()
    machine.look([fact, { ...fact, severity: 'critical' }, { ...fact, severity: 'info' }])
    expect(machine.episodes).toMatchObject([{ severity: 'critical' }])
  })
})

describe('a clock that jumps', () => {
  it.each([
    ['ahead', 86_400_000],
    ['back', -86_400_000],
  ])('%s fires nothing early and resolves nothing early', (_, jumpMs) => {
    const machine = new Machine()
    machine.look([signal('Slow')])
    machine.look([signal('Slow')], jumpMs)
    expect(machine.episodes[0]?.state).toBe('pending')
    machine.look([signal('Slow')])
    machine.look([signal('Slow')])
    expect(machine.look([signal('Slow')])).toEqual(['firing'])
    machine.look([])
    expect(machine.look([], jumpMs)).toEqual(['resolved'])
  })

  it('is not told again for it', () => {
    const machine = new Machine()
    machine.look([fact])
    const told = { desk: { status: 'firing', severity: 'warning', atMs: machine.nowMs, isShared: true } } as const
    machine.episodes = machine.episodes.map((episode) => ({ ...episode, told }))
    machine.look([fact], 86_400_000)
    expect(machine.nowMs - (machine.episodes[0]?.told.desk?.atMs ?? 0)).toBe(intervalMs)
  })
})
