// Against the real Alertmanager: what we send, it takes, shows, passes on, and ends.
import { afterEach, beforeEach, expect, it, type TestContext } from 'vitest'
import type { Notifier } from '../../../src/alerts/notification.ts'
import { makeNotifiers } from '../../../src/alerts/notifiers/make-notifiers.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { RecordingLog } from '../../recording-log.ts'
import { aNotification, anAlert } from '../../unit/alerts/notifiers/samples.ts'
import { until } from '../scenes/until.ts'
import { HttpReceiver } from '../servers/http-receiver.ts'
import { hasAlertmanager, RealAlertmanager } from '../servers/real-alertmanager.ts'

let alertmanager: RealAlertmanager
let receiver: HttpReceiver

beforeEach(async (context) => {
  needAlertmanager(context)
  receiver = new HttpReceiver()
  alertmanager = new RealAlertmanager()
  await receiver.start()
  await alertmanager.start(`http://${receiver.host}/`)
})
afterEach(async () => {
  await Promise.all([alertmanager?.stop(), receiver?.stop()])
})

/** CI has it; elsewhere a developer may not. */
function needAlertmanager(context: TestContext): void {
  if (process.env.CI || hasAlertmanager()) return
  context.skip('prometheus-alertmanager is not installed')
}

function notifiers(urls: string): Notifier[] {
  const config = loadConfig({ env: { ALERT_ALERTMANAGER_URLS: urls }, directory: import.meta.dirname })
  return makeNotifiers(config, new RecordingLog()).filter(({ isForMachines }) => isForMachines)
}

/** What Alertmanager told its own receiver, as `firing ConsumerStalled`. */
function passedOn(): string[] {
  return receiver.received.flatMap(({ body }) => {
    const { alerts } = JSON.parse(body) as { alerts: { status: string; labels: Record<string, string> }[] }
    return alerts.map(({ status, labels }) => `${status} ${labels.alertname}`)
  })
}

const signal = new AbortController().signal

it('an alert arrives once however often it is sent, is passed on, and goes when it is resolved', async () => {
  const [notifier] = notifiers(alertmanager.url)
  if (!notifier) throw new Error('no Alertmanager was made')
  const firedAtMs = Date.now() - 1000
  const alert = anAlert({
    firedAtMs,
    labels: { partition: '2', 'odd-name': 'a "quoted" value\n', severity: 'mine' },
    runbookUrl: 'https://docs.example/alerts/ConsumerStalled.md',
  })
  const firing = aNotification({ alerts: [alert], sentAtMs: Date.now() })
  expect(await notifier.deliver(firing, signal)).toEqual({ outcome: 'delivered' })
  expect(await notifier.deliver({ ...firing, id: 'again', reason: 'repeat' }, signal)).toEqual({ outcome: 'delivered' })

  const listed = await until(
    'listed',
    () => alertmanager.alerts(),
    (alerts) => alerts.length > 0,
  )
  expect(listed).toMatchObject([
    {
      labels: {
        alertname: 'ConsumerStalled',
        severity: 'critical',
        exported_severity: 'mine',
        stage: 'consumer',
        topic: 'market-prices',
        consumer_group: 'market-kpi-processor',
        partition: '2',
        odd_name: 'a "quoted" value\n',
      },
      annotations: {
        summary: 'partition 2 has not moved for 60 s, with 1,204 messages waiting',
        runbook_url: 'https://docs.example/alerts/ConsumerStalled.md',
        value: '1204 messages',
      },
      startsAt: new Date(firedAtMs).toISOString(),
    },
  ])
  // Left alone, it ends by itself: a dead evaluator's alerts must not stay.
  const leftMs = Date.parse(listed[0]?.endsAt ?? '') - Date.now()
  expect(leftMs).toBeGreaterThan(4 * 60_000)
  expect(leftMs).toBeLessThanOrEqual(5 * 60_000)
  await until('passed on', passedOn, (told) => told.length > 0)

  const over = { ...alert, state: 'resolved' as const, resolvedAtMs: Date.now() }
  expect(await notifier.deliver(aNotification({ id: 'over', alerts: [over] }), signal)).toEqual({
    outcome: 'delivered',
  })
  await until(
    'gone',
    () => alertmanager.alerts(),
    (alerts) => alerts.length === 0,
  )
  await until('passed on', passedOn, (told) => told.length > 1)
  expect(passedOn()).toEqual(['firing ConsumerStalled', 'resolved ConsumerStalled'])
})

it('an alert that becomes worse is one alert still, not two', async () => {
  const [notifier] = notifiers(alertmanager.url)
  if (!notifier) throw new Error('no Alertmanager was made')
  const warning = anAlert({ firedAtMs: Date.now() - 1000, severity: 'warning' })
  const critical = { ...warning, severity: 'critical' as const }
  await notifier.deliver(aNotification({ alerts: [warning] }), signal)
  await until('listed', severities, (listed) => listed.join() === 'warning')
  await notifier.deliver(aNotification({ alerts: [critical] }), signal)
  await until('only the worse one', severities, (listed) => listed.join() === 'critical')
  const over = { ...critical, state: 'resolved' as const, resolvedAtMs: Date.now() }
  await notifier.deliver(aNotification({ alerts: [over] }), signal)
  await until('gone', severities, (listed) => listed.length === 0)
})

async function severities(): Promise<(string | undefined)[]> {
  return (await alertmanager.alerts()).map(({ labels }) => labels.severity)
}

it('each of several is a receiver of its own: one that is down is told apart by its name', async () => {
  const gone = new HttpReceiver()
  await gone.start()
  const down = gone.host
  await gone.stop()
  const both = notifiers(`${alertmanager.url}, http://${down}`)
  expect(both.map(({ name }) => name)).toEqual([
    `alertmanager:${new URL(alertmanager.url).host}`,
    `alertmanager:${down}`,
  ])
  const alerts = [anAlert({ firedAtMs: Date.now() })]
  const outcomes = await Promise.all(both.map((notifier) => notifier.deliver(aNotification({ alerts }), signal)))
  expect(outcomes).toMatchObject([{ outcome: 'delivered' }, { outcome: 'retryable' }])
})

it('what it refuses is refused for good, in its words', async () => {
  const [notifier] = notifiers(alertmanager.url)
  const alerts = [anAlert({ firedAtMs: Date.now() + 3_600_000, resolvedAtMs: Date.now(), state: 'resolved' })]
  expect(await notifier?.deliver(aNotification({ alerts }), signal)).toMatchObject({
    outcome: 'permanent',
    reason: expect.stringMatching(/answered 400: .*start time must be before end time/),
  })
})
