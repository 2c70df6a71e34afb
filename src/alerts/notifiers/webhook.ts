import { createHmac } from 'node:crypto'
import type { Notification, NotifiedAlert, Notifier } from '../notification.ts'
import { type Endpoint, postJson } from './http-post.ts'

/** The version of the body; a receiver can refuse versions that it does not know. */
const bodyVersion = 1

/**
 * Posts a notification as JSON, as documented in docs/alerts/README.md. With a secret it is signed as
 * `sha256=HMAC(secret, TIMESTAMP.BODY)`. The timestamp is that of the attempt, so that the receiver can refuse a replay
 * of an old request.
 */
export function webhookNotifier(endpoint: Endpoint & { secret?: string }, nowMs: () => number): Notifier {
  return {
    name: 'webhook',
    isForMachines: false,
    deliver: (notification, signal) => {
      const body = JSON.stringify(webhookBody(notification))
      const timestamp = String(Math.floor(nowMs() / 1000))
      const headers = {
        'x-market-kpi-id': notification.id,
        'x-market-kpi-timestamp': timestamp,
        ...(endpoint.secret === undefined ? {} : { 'x-market-kpi-signature': sign(endpoint.secret, timestamp, body) }),
      }
      return postJson(endpoint, { body, headers, signal, nowMs })
    },
    close: async () => {},
  }
}

function sign(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
}

function webhookBody(notification: Notification): object {
  const { id, groupKey, reason, status, source, sentAtMs, alerts } = notification
  const sentAt = new Date(sentAtMs).toISOString()
  return { version: bodyVersion, id, groupKey, reason, status, source, sentAt, alerts: alerts.map(alertBody) }
}

function alertBody({ firedAtMs, resolvedAtMs, ...alert }: NotifiedAlert): object {
  const resolvedAt = resolvedAtMs === null ? null : new Date(resolvedAtMs).toISOString()
  return { ...alert, firedAt: new Date(firedAtMs).toISOString(), resolvedAt }
}
