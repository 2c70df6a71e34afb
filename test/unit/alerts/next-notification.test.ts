// What a receiver is owed: new, worse, again, over; and what nobody is told.
import { describe, expect, it } from 'vitest'
import type { DeliveryState, Episode } from '../../../src/alerts/episode.ts'
import { mandateOf, type Role } from '../../../src/alerts/leadership.ts'
import { type Receiver, whatToTell } from '../../../src/alerts/next-notification.ts'
import { parseMatcher } from '../../../src/alerts/silence.ts'
import { KpiError } from '../../../src/errors.ts'

const nowMs = 1_771_079_400_000
const hour = 3_600_000
const desk: Receiver = { name: 'desk', isForMachines: false }
const machine: Receiver = { name: 'machine', isForMachines: true }

function episode(more: Partial<Episode> = {}): Episode {
  return {
    id: more.rule ?? 'e1',
    fingerprint: more.rule ?? 'f1',
    rule: 'NoConsumer',
    severity: 'warning',
    stage: 'consumer',
    labels: {},
    summary: 'trouble',
    value: null,
    unit: null,
    state: 'firing',
    startedAtMs: nowMs - hour,
    firedAtMs: nowMs - hour,
    resolvedAtMs: null,
    pendingSinceMs: nowMs - hour,
    clearSinceMs: null,
    unknownSinceMs: null,
    inhibitedBy: null,
    told: {},
    ...more,
  }
}

function told(
  status: DeliveryState['status'],
  agoMs: number,
  severity: DeliveryState['severity'] = 'warning',
  isShared = true,
) {
  const entry = { status, severity, atMs: nowMs - agoMs, isShared }
  return { desk: entry, machine: entry }
}

function reason(
  one: Episode,
  receiver = desk,
  { role = 'leader' as Role, silences = [] as Parameters<typeof whatToTell>[2]['silences'] } = {},
) {
  return whatToTell([one], receiver, { nowMs, silences, mandate: mandateOf(role) })?.reason
}

describe('one alert', () => {
  it.each<[string, Partial<Episode>, string | undefined]>([
    ['that is pending', { state: 'pending' }, undefined],
    ['that is new', {}, 'firing'],
    ['that was told', { told: told('firing', 1000) }, undefined],
    ['that became critical', { severity: 'critical', told: told('firing', 1000) }, 'firing'],
    ['that is less than it was', { severity: 'warning', told: told('firing', 1000, 'critical') }, undefined],
    ['a warning after four hours', { told: told('firing', 4 * hour) }, 'repeat'],
    ['a warning before that', { told: told('firing', 4 * hour - 1) }, undefined],
    ['a critical one after an hour', { severity: 'critical', told: told('firing', hour, 'critical') }, 'repeat'],
    ['information, however long', { severity: 'info', told: told('firing', 1e10, 'info') }, undefined],
    ['that was refused', { told: told('refused', 1000) }, undefined],
    ['that was refused, at the time of a repeat', { told: told('refused', 4 * hour) }, 'firing'],
    ['a symptom', { inhibitedBy: 'KafkaUnreachable' }, undefined],
    [
      'a symptom that was told, and grew worse',
      { severity: 'critical', inhibitedBy: 'X', told: told('firing', 1) },
      undefined,
    ],
    ['that is over', { state: 'resolved', told: told('firing', 1000) }, 'resolved'],
    ['that is over, and nobody was told (prometheus/alertmanager#878)', { state: 'resolved' }, undefined],
    [
      'that is over, and that was told (prometheus/alertmanager#844)',
      { state: 'resolved', told: told('resolved', 1) },
      undefined,
    ],
    ['that is over, and was refused', { state: 'resolved', told: told('refused', 1000) }, undefined],
    ['about this receiver', { rule: 'NotifierFailing', labels: { notifier: 'desk' } }, undefined],
    ['about another receiver', { rule: 'NotifierFailing', labels: { notifier: 'night' } }, 'firing'],
    ['the watchdog', { rule: 'Watchdog', severity: 'info' }, undefined],
  ])('%s', (_, more, expected) => {
    expect(reason(episode(more))).toBe(expected)
  })

  it('machines are told each minute, of information and the watchdog too', () => {
    const often = { severity: 'info' as const, told: told('firing', 60_000, 'info') }
    expect(reason(episode(often), machine)).toBe('repeat')
    expect(reason(episode({ ...often, told: told('firing', 59_000, 'info') }), machine)).toBeUndefined()
    expect(reason(episode({ rule: 'Watchdog', severity: 'info' }), machine)).toBe('watchdog')
    expect(reason(episode({ rule: 'Watchdog', ...often }), machine)).toBe('watchdog')
  })
})

describe('a silence', () => {
  const until = (expiresAtMs: number, ...matchers: string[]) => [
    { id: '1', matchers: matchers.map(parseMatcher), expiresAtMs },
  ]

  it.each<[string[], string | undefined]>([
    [['NoConsumer'], undefined],
    [['No*'], undefined],
    [['KpiStale'], 'firing'],
    [['symbol=A*'], undefined],
    [['symbol=B*'], 'firing'],
    [['NoConsumer', 'severity=critical'], 'firing'],
    [['stage=consumer', 'severity=warning'], undefined],
    [['unheard=*'], 'firing'],
  ])('of %j', (matchers, expected) => {
    expect(reason(episode({ labels: { symbol: 'AAPL' } }), desk, { silences: until(nowMs + 1, ...matchers) })).toBe(
      expected,
    )
  })

  it('ends', () => {
    expect(reason(episode(), desk, { silences: until(nowMs, 'NoConsumer') })).toBe('firing')
  })

  it('does not keep back the end of what was told (prometheus/alertmanager#226)', () => {
    const over = episode({ state: 'resolved', told: told('firing', 1000) })
    expect(reason(over, desk, { silences: until(nowMs + 1, 'NoConsumer') })).toBe('resolved')
  })

  it.each(['', '=x', 'a b', 'x='])('is not made of %j', (text) => {
    expect(() => parseMatcher(text)).toThrow(KpiError)
  })
})

describe('who tells', () => {
  const over = (isShared: boolean) => episode({ state: 'resolved', told: told('firing', 1000, 'warning', isShared) })

  it.each<[Role, string | undefined, string | undefined, string | undefined, string | undefined]>([
    ['leader', 'firing', 'firing', 'resolved', 'resolved'],
    ['acting', 'firing', 'firing', 'resolved', 'resolved'],
    ['follower', undefined, undefined, undefined, 'resolved'],
    ['disconnected', undefined, 'firing', undefined, 'resolved'],
  ])('%s', (role, any, database, shared, own) => {
    expect(reason(episode(), desk, { role })).toBe(any)
    expect(reason(episode({ rule: 'PostgresUnreachable' }), desk, { role })).toBe(database)
    expect(reason(over(true), desk, { role })).toBe(shared)
    expect(reason(over(false), desk, { role })).toBe(own)
  })
})

it('tells ends before beginnings, one stage at a time, the worst first', () => {
  const left = [
    episode({ rule: 'A', stage: 'kpi' }),
    episode({ rule: 'B' }),
    episode({ rule: 'C', severity: 'critical' }),
    episode({ rule: 'D', state: 'resolved', told: told('firing', 1000) }),
  ]
  const tellings: string[] = []
  for (;;) {
    const telling = whatToTell(left, desk, { nowMs, silences: [], mandate: mandateOf('leader') })
    if (!telling) break
    tellings.push(`${telling.reason} ${telling.stage}: ${telling.episodes.map(({ rule }) => rule)}`)
    for (const one of telling.episodes) left.splice(left.indexOf(one), 1)
  }
  expect(tellings).toEqual(['resolved consumer: D', 'firing consumer: C,B', 'firing kpi: A'])
})
