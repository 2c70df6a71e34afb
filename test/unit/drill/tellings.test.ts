import { expect, it } from 'vitest'
import type { Notification } from '../../../src/alerts/notification.ts'
import { type Expected, outcomeOf, type Telling, tellingsOf } from '../../drill/tellings.ts'

const expected: Expected = { rule: 'ErrorRateHigh', stage: 'feed', severities: ['warning', 'critical'] }
const times = { brokenAtMs: 10_000, repairedAtMs: 60_000 }

function telling(atMs: number, more: Partial<Telling> = {}): Telling {
  const right = {
    rule: 'ErrorRateHigh',
    severity: 'warning',
    stage: 'feed',
    state: 'firing',
    fingerprint: 'a',
  } as const
  return { ...right, summary: '', atMs, ...more }
}

const resolved = telling(70_000, { state: 'resolved' })

it('measures from the fault to FIRING, and from the repair to RESOLVED', () => {
  expect(outcomeOf([telling(15_000), resolved], expected, times)).toEqual({
    severity: 'warning',
    detectedSeconds: 5,
    resolvedSeconds: 10,
    firings: 1,
    resolutions: 1,
    wrong: [],
  })
})

it('knows that nothing was told', () => {
  const nothing = {
    severity: null,
    detectedSeconds: null,
    resolvedSeconds: null,
    firings: 0,
    resolutions: 0,
    wrong: [],
  }
  expect(outcomeOf([], expected, times)).toEqual(nothing)
})

it('takes a warning that became critical for one FIRING', () => {
  const worse = telling(20_000, { severity: 'critical' })
  expect(outcomeOf([telling(15_000), worse, resolved], expected, times)).toMatchObject({ firings: 1, resolutions: 1 })
})

it.each([
  ['again while it fires', [telling(15_000), telling(20_000), resolved], { firings: 2, resolutions: 1 }],
  ['again after its end', [telling(15_000), resolved, telling(80_000)], { firings: 2, resolutions: 1 }],
  ['with its end twice', [telling(15_000), resolved, resolved], { firings: 1, resolutions: 2 }],
  ['for two alerts of the rule', [telling(15_000), telling(15_000, { fingerprint: 'b' })], { firings: 2 }],
])('counts what is told %s', (_how, tellings, counts) => {
  expect(outcomeOf(tellings, expected, times)).toMatchObject(counts)
})

it.each([
  ['another rule', { rule: 'NoConsumer', severity: 'critical' } as const, 'critical NoConsumer'],
  ['another severity', { severity: 'info' } as const, 'info ErrorRateHigh'],
  ['another stage', { stage: 'kafka' } as const, 'warning ErrorRateHigh'],
])('calls %s a wrong one', (_what, more, wrong) => {
  const outcome = outcomeOf([telling(15_000, more), telling(16_000, more)], expected, times)
  expect(outcome).toMatchObject({ detectedSeconds: null, firings: 0, wrong: [wrong] })
})

it('leaves out what is told again, and the sign of life', () => {
  const notification = (reason: Notification['reason']) =>
    ({ reason, alerts: [{ ...telling(0), labels: {} }] }) as unknown as Notification
  expect(tellingsOf(notification('repeat'), 5)).toEqual([])
  expect(tellingsOf(notification('watchdog'), 5)).toEqual([])
  expect(tellingsOf(notification('firing'), 5)).toEqual([telling(5)])
})
