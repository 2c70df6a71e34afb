import { describe, expect, it } from 'vitest'
import { alertRows } from '../../../src/monitor/alert-rows.ts'
import { type Sort, symbolRows } from '../../../src/monitor/symbol-rows.ts'
import { firingOf } from '../../../src/services/monitor-alerts.ts'
import type { AlertRow } from '../../../src/store/alerts/alert-session.ts'
import type { SilenceRow } from '../../../src/store/alerts/alert-silences.ts'
import { dead, healthy, lagging, nowMs } from '../observe/scene.ts'
import { alert, dataOf, statisticsOf } from './scene.ts'

describe('symbols', () => {
  const symbols = [
    statisticsOf('B', { firstOpen: '100', latestClose: '90', totalVolume: '9' }),
    statisticsOf('a', { firstOpen: '0', latestClose: '5', totalVolume: '10' }),
    statisticsOf('C', { firstOpen: '-10', latestClose: '-5', totalVolume: '9' }),
  ]
  const order = (sort: Sort) => symbolRows(symbols, '', sort).map(({ symbol }) => symbol)

  it.each([
    [{ key: 'symbol', isDescending: false }, ['B', 'C', 'a']],
    [{ key: 'symbol', isDescending: true }, ['a', 'C', 'B']],
    [{ key: 'close', isDescending: true }, ['B', 'a', 'C']],
    // By number, not by text; equal ones by name in both directions.
    [{ key: 'volume', isDescending: true }, ['a', 'B', 'C']],
    [{ key: 'volume', isDescending: false }, ['B', 'C', 'a']],
    // Where nothing can be said of a change, the symbol comes last.
    [{ key: 'change', isDescending: true }, ['C', 'B', 'a']],
  ] as const)('%j', (sort, wanted) => {
    expect(order(sort)).toEqual(wanted)
  })

  it('measures a change by the size of the open, which may be negative or 0', () => {
    const changes = symbolRows(symbols, '', { key: 'symbol', isDescending: false }).map((row) => row.changePercent)
    expect(changes).toEqual([-10, 50, null])
  })
})

describe('alerts', () => {
  it('shows those that fire, worst first and silenced ones last, then findings that are none', () => {
    const firing = [
      alert('KpiStale', { silencedUntilMs: nowMs + 1000, severity: 'critical' }),
      alert('FeedSilent'),
      alert('NoConsumer', { severity: 'critical' }),
    ]
    const rows = alertRows(dataOf(lagging(healthy(), 5000), { alerts: { state: 'ok', firing } }))
    expect(rows.map(({ rule }) => rule)).toEqual(['NoConsumer', 'FeedSilent', 'KpiStale', 'ConsumerLagHigh'])
    expect(rows.map(({ firedAtMs }) => firedAtMs !== null)).toEqual([true, true, true, false])
  })

  it('shows a finding once when its alert fires, and no symptoms', () => {
    const firing = [alert('KafkaUnreachable', { severity: 'critical' })]
    const rows = alertRows(dataOf(dead(healthy(), 'kafka'), { alerts: { state: 'ok', firing } }))
    expect(rows.map(({ rule }) => rule)).toEqual(['KafkaUnreachable'])
    expect(rows[0]?.firedAtMs).not.toBeNull()
  })
})

describe('alerts of the store', () => {
  const row: AlertRow = {
    id: 'one',
    fingerprint: 'f',
    rule: 'KpiStale',
    severity: 'critical',
    stage: 'kpi',
    state: 'firing',
    labels: { symbol: 'AAPL' },
    summary: 'old',
    value: null,
    unit: null,
    startedAt: new Date(nowMs - 2000),
    firedAt: new Date(nowMs - 1000),
    resolvedAt: null,
    inhibitedBy: null,
    progress: {},
  }
  const silence: SilenceRow = {
    id: 1,
    matchers: [
      { name: 'rule', value: 'KpiStale' },
      { name: 'symbol', value: 'AAPL' },
    ],
    comment: '',
    createdBy: 'me',
    createdAt: new Date(nowMs - 10_000),
    expiresAt: new Date(nowMs + 1),
  }

  it('leaves out what is pending, a symptom, or a sign of life', () => {
    const others: AlertRow[] = [
      { ...row, state: 'pending' },
      { ...row, inhibitedBy: 'NoConsumer' },
      { ...row, rule: 'Watchdog' },
    ]
    const firing = firingOf([...others, row], [], nowMs)
    expect(firing).toHaveLength(1)
    expect(firing[0]).toMatchObject({ rule: 'KpiStale', firedAtMs: nowMs - 1000, silencedUntilMs: null })
  })

  it.each([
    ['one that fits', silence, nowMs, nowMs + 1],
    ['one that has just expired', silence, nowMs + 1, null],
    ['one of another symbol', { ...silence, matchers: [{ name: 'symbol', value: 'MSFT' }] }, nowMs, null],
  ])('is silenced by %s', (_, given, atMs, until) => {
    expect(firingOf([row], [given], atMs)[0]?.silencedUntilMs).toBe(until)
  })
})
