// What goes over HTTP to receivers, and what is made of each of their answers.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Notification, Notifier } from '../../../src/alerts/notification.ts'
import { makeNotifiers } from '../../../src/alerts/notifiers/make-notifiers.ts'
import { webhookNotifier } from '../../../src/alerts/notifiers/webhook.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { RecordingLog } from '../../recording-log.ts'
import { aNotification, anAlert, resolved } from '../../unit/alerts/notifiers/samples.ts'
import { until } from '../scenes/until.ts'
import { type Answer, HttpReceiver } from '../servers/http-receiver.ts'

const receiver = new HttpReceiver()
const routingKey = 'R0123456789abcdef0123456789abcde'
const nowMs = Date.UTC(2026, 1, 14, 15)

beforeAll(() => receiver.start())
afterAll(() => receiver.stop())
beforeEach(() => receiver.forget())

const settingsOf: Record<string, () => Record<string, string>> = {
  webhook: () => ({
    ALERT_WEBHOOK_URL: `http://desk:pass-word@${receiver.host}/hook/secret-path?key=secret-query`,
    ALERT_WEBHOOK_SECRET: 'a-secret-for-signing',
  }),
  slack: () => ({ ALERT_SLACK_WEBHOOK_URL: `http://${receiver.host}/services/T0/B0/secret-path` }),
  teams: () => ({ ALERT_TEAMS_WEBHOOK_URL: `http://${receiver.host}/workflows/secret-path?sig=secret-query` }),
  pagerduty: () => ({
    ALERT_PAGERDUTY_ROUTING_KEY: routingKey,
    ALERT_PAGERDUTY_URL: `http://${receiver.host}/v2/enqueue`,
  }),
  alertmanager: () => ({ ALERT_ALERTMANAGER_URLS: `http://${receiver.host}/prefix/` }),
}
const names = Object.keys(settingsOf)

function notifierOf(name: string, env: Record<string, string> = {}): Notifier {
  const config = loadConfig({ env: { ...settingsOf[name]?.(), ...env }, directory: import.meta.dirname })
  const found = makeNotifiers(config, new RecordingLog(), () => nowMs).find((notifier) => notifier.name === name)
  if (!found) throw new Error(`${name} was not made`)
  return found
}

function deliver(
  notifier: Notifier,
  notification: Notification = aNotification(),
  signal = new AbortController().signal,
) {
  return notifier.deliver(notification, signal)
}

describe.each(names)('%s', (name) => {
  it('delivers with one POST of JSON', async () => {
    receiver.answers = [{ status: 202, body: 'ok' }]
    expect(await deliver(notifierOf(name))).toEqual({ outcome: 'delivered' })
    const { headers, body } = receiver.only()
    expect(headers['content-type']).toBe('application/json')
    expect(body).toContain('partition 2 has not moved')
    expect(() => JSON.parse(body)).not.toThrow()
  })

  it.each<[string, Answer, 'retryable' | 'permanent', RegExp]>([
    ['a bad request', { status: 400, body: 'invalid_payload' }, 'permanent', /answered 400: invalid_payload$/],
    ['a wrong key', { status: 403 }, 'permanent', /answered 403$/],
    ['no such channel', { status: 404, body: 'channel_not_found' }, 'permanent', /answered 404: channel_not_found$/],
    ['a hook that is gone', { status: 410, body: 'channel_is_archived' }, 'permanent', /answered 410/],
    ['multiple choices', { status: 300 }, 'retryable', /answered 300$/],
    ['an answer that nothing has changed', { status: 304 }, 'retryable', /answered 304$/],
    ['a slow client, they say', { status: 408 }, 'retryable', /answered 408$/],
    ['too early', { status: 425 }, 'retryable', /answered 425$/],
    ['too many', { status: 429 }, 'retryable', /answered 429$/],
    ['a failure of theirs', { status: 500, body: 'rollup_error' }, 'retryable', /answered 500: rollup_error$/],
    ['a web page', { status: 502, body: '<html><body>Bad gateway' }, 'retryable', /answered 502$/],
    ['a cut connection', 'reset', 'retryable', /^127\.0\.0\.1:\d+: \S/],
  ])('%s: told apart', async (_, answer, outcome, reason) => {
    receiver.answers = [answer]
    expect(await deliver(notifierOf(name))).toEqual({ outcome, reason: expect.stringMatching(reason) })
    expect(receiver.received).toHaveLength(1)
  })

  it.each([301, 302, 303, 307, 308])(
    'never follows a redirect, and tries the same address again (%d)',
    async (status) => {
      const elsewhere = new HttpReceiver()
      await elsewhere.start()
      try {
        for (const host of [elsewhere.host, receiver.host]) {
          receiver.answers = [{ status, headers: { location: `http://${host}/elsewhere` } }]
          const reason = `${receiver.host} answered ${status}`
          expect(await deliver(notifierOf(name))).toEqual({ outcome: 'retryable', reason })
        }
        expect(elsewhere.received).toHaveLength(0)
        expect(receiver.received.map(({ path }) => path)).not.toContain('/elsewhere')
        expect(receiver.received).toHaveLength(2)
      } finally {
        await elsewhere.stop()
      }
    },
  )

  it.each([
    ['in seconds', '7', 7000],
    ['as a date', new Date(nowMs + 90_000).toUTCString(), 90_000],
    ['as a date that has passed', new Date(nowMs - 90_000).toUTCString(), 0],
    ['for ever, which is an hour at most', '999999999', 3_600_000],
  ])('says when the receiver wants the next attempt, %s', async (_, value, retryAfterMs) => {
    receiver.answers = [{ status: 429, headers: { 'retry-after': value } }]
    expect(await deliver(notifierOf(name))).toMatchObject({ outcome: 'retryable', retryAfterMs })
  })

  it('gives up on a receiver that hangs, after its timeout', async () => {
    receiver.answers = ['hang']
    const delivery = await deliver(notifierOf(name, { ALERT_TIMEOUT_SECONDS: '1' }))
    expect(delivery).toEqual({ outcome: 'retryable', reason: `${receiver.host} did not answer within 1000 ms` })
  })

  it('gives up at once when told so', async () => {
    receiver.answers = ['hang']
    const stop = new AbortController()
    const delivery = deliver(notifierOf(name), aNotification(), stop.signal)
    await until(
      'asked',
      () => receiver.received.length,
      (count) => count === 1,
    )
    stop.abort()
    expect(await delivery).toEqual({ outcome: 'retryable', reason: `${receiver.host}: given up` })
  })

  it('shows no secret, not even one that the receiver repeats', async () => {
    const notifier = notifierOf(name)
    await deliver(notifier)
    const { path } = receiver.only()
    receiver.answers = [{ status: 400, body: `no ${path} for desk with pass-word or ${routingKey}` }]
    const shown = JSON.stringify(await deliver(notifier, aNotification({ id: 'another' })))
    expect(shown).toContain(`${receiver.host} answered 400: no `)
    const hidden: Record<string, string[]> = { webhook: ['desk', 'pass-word'], pagerduty: [routingKey] }
    for (const secret of ['secret-path', 'secret-query', ...(hidden[name] ?? [])]) expect(shown).not.toContain(secret)
  })
})

it.each(names)('%s: nobody listens there', async (name) => {
  // A port that was free a moment ago.
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise<void>((resolve) => server.close(() => resolve()))
  const env = Object.fromEntries(
    Object.entries(settingsOf[name]?.() ?? {}).map(([key, value]) => [
      key,
      value.replace(receiver.host, `127.0.0.1:${port}`),
    ]),
  )
  expect(await deliver(notifierOf(name, env))).toEqual({
    outcome: 'retryable',
    reason: expect.stringContaining('ECONNREFUSED'),
  })
})

describe('the webhook', () => {
  it('is signed over time and body, and names the notification', async () => {
    const notification = aNotification()
    await deliver(notifierOf('webhook'), notification)
    const { headers, body, path } = receiver.only()
    const timestamp = headers['x-market-kpi-timestamp']
    expect(timestamp).toBe(String(nowMs / 1000))
    const expected = createHmac('sha256', 'a-secret-for-signing').update(`${timestamp}.${body}`).digest('hex')
    expect(headers['x-market-kpi-signature']).toBe(`sha256=${expected}`)
    expect(headers['x-market-kpi-id']).toBe(notification.id)
    expect(headers.authorization).toBe(`Basic ${Buffer.from('desk:pass-word').toString('base64')}`)
    expect(path).toBe('/hook/secret-path?key=secret-query')
  })

  it('carries all that is known, with times as text', async () => {
    await deliver(notifierOf('webhook'), aNotification({ alerts: [anAlert(), resolved(anAlert({ labels: {} }))] }))
    expect(JSON.parse(receiver.only().body)).toEqual({
      version: 1,
      id: '5b7f3c1e-0000-4000-8000-000000000001',
      groupKey: 'market-prices/market-kpi-processor/consumer',
      reason: 'firing',
      status: 'firing',
      source: { topic: 'market-prices', group: 'market-kpi-processor', evaluator: 'desk-1' },
      sentAt: '2026-02-14T14:31:00.000Z',
      alerts: [
        {
          fingerprint: '0123456789abcdef',
          rule: 'ConsumerStalled',
          severity: 'critical',
          stage: 'consumer',
          state: 'firing',
          labels: { partition: '2' },
          summary: 'partition 2 has not moved for 60 s, with 1,204 messages waiting',
          value: 1204,
          unit: 'messages',
          runbookUrl: null,
          explainCommand: 'market-kpi alerts explain ConsumerStalled',
          firedAt: '2026-02-14T14:30:00.000Z',
          resolvedAt: null,
        },
        expect.objectContaining({ state: 'resolved', resolvedAt: '2026-02-14T14:40:00.000Z' }),
      ],
    })
  })

  it('is not signed without a secret', async () => {
    const env = { ALERT_WEBHOOK_URL: `http://${receiver.host}/`, ALERT_WEBHOOK_SECRET: '' }
    await deliver(notifierOf('webhook', env))
    expect(receiver.only().headers).not.toHaveProperty('x-market-kpi-signature')
  })

  it('is the same notification in each attempt, at the time of that attempt', async () => {
    receiver.answers = [{ status: 503 }, 'reset', { status: 204 }]
    let attemptMs = nowMs
    const endpoint = { url: `http://${receiver.host}/`, timeoutMs: 5000, secret: 'a-secret-for-signing' }
    const notifier = webhookNotifier(endpoint, () => attemptMs)
    const outcomes = []
    for (const _ of receiver.answers.slice()) {
      outcomes.push((await deliver(notifier)).outcome)
      attemptMs += 1000
    }
    expect(outcomes).toEqual(['retryable', 'retryable', 'delivered'])
    const { received } = receiver
    expect(new Set(received.map(({ body }) => body)).size).toBe(1)
    expect(new Set(received.map(({ headers }) => headers['x-market-kpi-id'])).size).toBe(1)
    expect(new Set(received.map(({ headers }) => headers['x-market-kpi-timestamp'])).size).toBe(3)
    expect(new Set(received.map(({ headers }) => headers['x-market-kpi-signature'])).size).toBe(3)
  })
})

describe('PagerDuty', () => {
  const two = [anAlert(), anAlert({ fingerprint: 'fedcba9876543210', rule: 'WorkerDown', severity: 'warning' })]

  function events() {
    return receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  }

  it('opens an incident for each alert and closes it by the same key', async () => {
    await deliver(notifierOf('pagerduty'), aNotification({ alerts: two }))
    await deliver(notifierOf('pagerduty'), aNotification({ id: 'later', alerts: two.map((one) => resolved(one)) }))
    expect(events().map(({ event_action, dedup_key }) => [event_action, dedup_key])).toEqual([
      ['trigger', '0123456789abcdef'],
      ['trigger', 'fedcba9876543210'],
      ['resolve', '0123456789abcdef'],
      ['resolve', 'fedcba9876543210'],
    ])
    expect(events()[0]).toMatchObject({
      routing_key: routingKey,
      payload: {
        summary: 'ConsumerStalled: partition 2 has not moved for 60 s, with 1,204 messages waiting',
        severity: 'critical',
        source: 'desk-1',
        component: 'consumer',
        class: 'ConsumerStalled',
        timestamp: '2026-02-14T14:30:00.000Z',
      },
    })
  })

  it('sends only the rest when some of it was taken', async () => {
    receiver.answers = [{ status: 202 }, { status: 429 }, { status: 202 }]
    const notifier = notifierOf('pagerduty')
    const notification = aNotification({ alerts: two })
    expect(await deliver(notifier, notification)).toMatchObject({ outcome: 'retryable' })
    expect(await deliver(notifier, notification)).toEqual({ outcome: 'delivered' })
    expect(events().map(({ dedup_key }) => dedup_key)).toEqual([
      '0123456789abcdef',
      'fedcba9876543210',
      'fedcba9876543210',
    ])
  })

  it('goes on after an event that is refused, and says so', async () => {
    receiver.answers = [{ status: 400, body: '{"status":"invalid event"}' }, { status: 202 }]
    expect(await deliver(notifierOf('pagerduty'), aNotification({ alerts: two }))).toMatchObject({
      outcome: 'permanent',
      reason: expect.stringContaining('invalid event'),
    })
    expect(receiver.received).toHaveLength(2)
  })

  it('wakes nobody for a sign of life, and leaves no incident of a test', async () => {
    await deliver(notifierOf('pagerduty'), aNotification({ reason: 'watchdog' }))
    expect(receiver.received).toEqual([])
    await deliver(notifierOf('pagerduty'), aNotification({ reason: 'test' }))
    expect(events().map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve'])
  })
})
