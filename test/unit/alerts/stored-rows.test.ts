// The stored format of alerts: rows that version 0.1.0 wrote are read by this one, and the other way round.
import { expect, it } from 'vitest'
import { dispatchOf, episodeOf, notificationRowOf, rowOf, silenceOf } from '../../../src/alerts/stored-rows.ts'
import type { AlertRow, NotificationRow } from '../../../src/store/alerts/alert-session.ts'
import { sampleEpisode } from './sample-episode.ts'

const firedAt = new Date('2026-02-14T14:30:00Z')

/** As version 0.1.0 wrote it. */
const oldRow: AlertRow = {
  id: '6f1c2a9e-0000-4000-8000-000000000001',
  fingerprint: '0123456789abcdef',
  rule: 'KafkaDiskHigh',
  severity: 'critical',
  stage: 'kafka',
  state: 'firing',
  labels: { broker: '1', directory: '/data' },
  summary: '/data on broker 1 is 95 % full',
  value: 95,
  unit: '%',
  startedAt: new Date('2026-02-14T14:29:45Z'),
  firedAt,
  resolvedAt: null,
  inhibitedBy: null,
  progress: {
    pendingSinceMs: 1771079385000,
    clearSinceMs: 1771079410000,
    unknownSinceMs: null,
    told: { slack: { status: 'firing', severity: 'warning', atMs: 1771079400000, isShared: false } },
  },
}

const oldNotification: NotificationRow = {
  id: '0a1b2c3d-0000-8000-8000-000000000001',
  receiver: 'slack',
  reason: 'firing',
  outcome: 'sending',
  attempts: 0,
  detail: '',
  alertIds: ['6f1c2a9e-0000-4000-8000-000000000001'],
  body: {
    episodes: [{ id: '6f1c2a9e-0000-4000-8000-000000000001', fingerprint: '0123456789abcdef' }],
    notification: {
      id: '0a1b2c3d-0000-8000-8000-000000000001',
      groupKey: 'market-prices/market-kpi-processor/kafka',
      reason: 'firing',
      status: 'firing',
      alerts: [],
      source: { topic: 'market-prices', group: 'market-kpi-processor', evaluator: 'desk-1' },
      sentAtMs: 1771079400000,
    },
  },
  sentAt: firedAt,
}

it('an episode of version 0.1.0 is read with all that its receivers know', () => {
  expect(episodeOf(oldRow)).toEqual([
    sampleEpisode({
      rule: 'KafkaDiskHigh',
      severity: 'critical',
      stage: 'kafka',
      labels: { broker: '1', directory: '/data' },
      summary: '/data on broker 1 is 95 % full',
      value: 95,
      unit: '%',
      clearSinceMs: 1771079410000,
      deliveries: { slack: { status: 'firing', severity: 'warning', atMs: 1771079400000, isShared: true } },
    }),
  ])
})

it('an episode is written as version 0.1.0 wrote it', () => {
  const [episode] = episodeOf(oldRow)
  const told = { slack: { status: 'firing', severity: 'warning', atMs: 1771079400000, isShared: true } }
  expect(episode && rowOf(episode)).toEqual({ ...oldRow, progress: { ...(oldRow.progress as object), told } })
})

it('a notification that version 0.1.0 did not finish is read, and written as it was', () => {
  const [dispatch] = dispatchOf(oldNotification)
  expect(dispatch).toMatchObject({ receiver: 'slack', notification: { sentAtMs: 1771079400000, reason: 'firing' } })
  const record = dispatch && { ...dispatch, outcome: 'sending' as const, attempts: 0, detail: '' }
  expect(record && notificationRowOf(record)).toEqual(oldNotification)
})

it.each<[string, AlertRow]>([
  ['a severity', { ...oldRow, severity: 'fatal' }],
  ['a state', { ...oldRow, state: 'snoozed' }],
  ['progress', { ...oldRow, progress: { pendingSinceMs: 1 } }],
])('a row with %s that this version does not know is left out', (_, row) => {
  expect(episodeOf(row)).toEqual([])
})

it('so are notifications and silences', () => {
  expect(dispatchOf({ ...oldNotification, body: {} })).toEqual([])
  expect(silenceOf({ id: '1', matchers: 'NoConsumer', expiresAt: firedAt })).toEqual([])
  expect(silenceOf({ id: '1', matchers: [{ name: 'rule', value: 'No*' }], expiresAt: firedAt })).toEqual([
    { id: '1', matchers: [{ name: 'rule', value: 'No*' }], expiresAtMs: firedAt.getTime() },
  ])
})
