// What a receiver has to get: new, worse, repeated and resolved alerts; and what it does not get.
import { describe, expect, it } from 'vitest'
import type { DeliveryState, Episode } from '../../../src/alerts/episode.ts'
import { permissionOf, type Role } from '../../../src/alerts/leadership.ts'
import { nextNotification, type Receiver } from '../../../src/alerts/next-notification.ts'
import { parseMatcher } from '../../../src/alerts/silence.ts'
import { KpiError } from '../../../src/errors.ts'
import { sampleEpisode } from './sample-episode.ts'

const nowMs = 1_771_079_400_000
const hour = 3_600_000
const desk: Receiver = { name: 'desk', isForMachines: false }
const machine: Receiver = { name: 'machine', isForMachines: true }

function episode(changes: Partial<Episode> = {}): Episode {
  const name = changes.rule ?? 'e1'
  return sampleEpisode({ id: name, fingerprint: name, ...changes })
}

function delivered(
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
  { role = 'leader' as Role, silences = [] as Parameters<typeof nextNotification>[2]['silences'] } = {},
) {
  return nextNotification([one], receiver, { nowMs, silences, permission: permissionOf(role) })?.reason
}

describe('one alert', () => {
  it.each<[string, Partial<Episode>, string | undefined]>([
    ['that is pending', { state: 'pending' }, undefined],
    ['that is new', {}, 'firing'],
    ['that was sent', { deliveries: delivered('firing', 1000) }, undefined],
    ['that became critical', { severity: 'critical', deliveries: delivered('firing', 1000) }, 'firing'],
    ['that became less severe', { severity: 'warning', deliveries: delivered('firing', 1000, 'critical') }, undefined],
    ['a warning after four hours', { deliveries: delivered('firing', 4 * hour) }, 'repeat'],
    ['a warning before that', { deliveries: delivered('firing', 4 * hour - 1) }, undefined],
    [
      'a critical one after an hour',
      { severity: 'critical', deliveries: delivered('firing', hour, 'critical') },
      'repeat',
    ],
    ['information, however long', { severity: 'info', deliveries: delivered('firing', 1e10, 'info') }, undefined],
    ['that was refused', { deliveries: delivered('refused', 1000) }, undefined],
    ['that was refused, at the time of a repeat', { deliveries: delivered('refused', 4 * hour) }, 'firing'],
    ['a symptom', { inhibitedBy: 'KafkaUnreachable' }, undefined],
    [
      'a symptom that was sent, and became worse',
      { severity: 'critical', inhibitedBy: 'X', deliveries: delivered('firing', 1) },
      undefined,
    ],
    ['that is resolved', { state: 'resolved', deliveries: delivered('firing', 1000) }, 'resolved'],
    ['that is resolved, and was never sent (prometheus/alertmanager#878)', { state: 'resolved' }, undefined],
    [
      'that is resolved, and whose end was sent (prometheus/alertmanager#844)',
      { state: 'resolved', deliveries: delivered('resolved', 1) },
      undefined,
    ],
    ['that is resolved, and was refused', { state: 'resolved', deliveries: delivered('refused', 1000) }, undefined],
    ['about this receiver', { rule: 'NotifierFailing', labels: { notifier: 'desk' } }, undefined],
    ['about another receiver', { rule: 'NotifierFailing', labels: { notifier: 'night' } }, 'firing'],
    ['the watchdog', { rule: 'Watchdog', severity: 'info' }, undefined],
  ])('%s', (_, more, expected) => {
    expect(reason(episode(more))).toBe(expected)
  })

  it('machines get everything each minute, also information and the watchdog', () => {
    const often = { severity: 'info' as const, deliveries: delivered('firing', 60_000, 'info') }
    expect(reason(episode(often), machine)).toBe('repeat')
    expect(reason(episode({ ...often, deliveries: delivered('firing', 59_000, 'info') }), machine)).toBeUndefined()
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
    [['unknown=*'], 'firing'],
  ])('of %j', (matchers, expected) => {
    expect(reason(episode({ labels: { symbol: 'AAPL' } }), desk, { silences: until(nowMs + 1, ...matchers) })).toBe(
      expected,
    )
  })

  it('ends', () => {
    expect(reason(episode(), desk, { silences: until(nowMs, 'NoConsumer') })).toBe('firing')
  })

  it('does not hold back the end of an alert that was sent (prometheus/alertmanager#226)', () => {
    const ended = episode({ state: 'resolved', deliveries: delivered('firing', 1000) })
    expect(reason(ended, desk, { silences: until(nowMs + 1, 'NoConsumer') })).toBe('resolved')
  })

  it.each(['', '=x', 'a b', 'x='])('is not made of %j', (text) => {
    expect(() => parseMatcher(text)).toThrow(KpiError)
  })
})

describe('what is sent by', () => {
  const ended = (isShared: boolean) =>
    episode({ state: 'resolved', deliveries: delivered('firing', 1000, 'warning', isShared) })

  it.each<[Role, string | undefined, string | undefined, string | undefined, string | undefined]>([
    ['leader', 'firing', 'firing', 'resolved', 'resolved'],
    ['acting', 'firing', 'firing', 'resolved', 'resolved'],
    ['follower', undefined, undefined, undefined, 'resolved'],
    ['disconnected', undefined, 'firing', undefined, 'resolved'],
  ])('%s', (role, any, database, shared, own) => {
    expect(reason(episode(), desk, { role })).toBe(any)
    expect(reason(episode({ rule: 'PostgresUnreachable' }), desk, { role })).toBe(database)
    expect(reason(ended(true), desk, { role })).toBe(shared)
    expect(reason(ended(false), desk, { role })).toBe(own)
  })
})

it('sends ends before beginnings, one stage at a time, the worst first', () => {
  const left = [
    episode({ rule: 'A', stage: 'kpi' }),
    episode({ rule: 'B' }),
    episode({ rule: 'C', severity: 'critical' }),
    episode({ rule: 'D', state: 'resolved', deliveries: delivered('firing', 1000) }),
  ]
  const sent: string[] = []
  for (;;) {
    const next = nextNotification(left, desk, { nowMs, silences: [], permission: permissionOf('leader') })
    if (!next) break
    sent.push(`${next.reason} ${next.stage}: ${next.episodes.map(({ rule }) => rule)}`)
    for (const one of next.episodes) left.splice(left.indexOf(one), 1)
  }
  expect(sent).toEqual(['resolved consumer: D', 'firing consumer: C,B', 'firing kpi: A'])
})
