import type { Delivery, Notification, NotifiedAlert, Notifier } from '../notification.ts'
import { DeliveredParts } from './delivered-parts.ts'
import { type Endpoint, postJson } from './http-post.ts'
import { clip, isWebAddress, whatToDo } from './wording.ts'

export const pagerdutyUrl = 'https://events.pagerduty.com/v2/enqueue'

/** PagerDuty cuts longer summaries: https://developer.pagerduty.com/docs/send-alert-event */
const maxSummary = 1024

type Action = 'trigger' | 'resolve'

/**
 * Sends an event for each alert to PagerDuty's Events API v2. The fingerprint is the `dedup_key`: an event that is sent
 * twice creates one incident, and RESOLVED closes the incident that FIRING opened.
 */
export function pagerdutyNotifier(endpoint: Endpoint & { routingKey: string }, nowMs: () => number): Notifier {
  const parts = new DeliveredParts()
  const place = { ...endpoint, secrets: [endpoint.routingKey] }
  return {
    name: 'pagerduty',
    isForMachines: false,
    deliver: async (notification, signal) => {
      const done = parts.of(notification)
      let refused: Delivery | undefined
      for (const [alert, action] of eventsOf(notification)) {
        const part = `${action} ${alert.fingerprint}`
        if (done.has(part)) continue
        const body = JSON.stringify(pagerdutyEvent(endpoint.routingKey, { notification, alert, action }))
        const delivery = await postJson(place, { body, signal, nowMs })
        if (delivery.outcome === 'retryable') return delivery
        if (delivery.outcome === 'delivered') done.add(part)
        else refused = delivery
      }
      return refused ?? { outcome: 'delivered' }
    },
    close: async () => {},
  }
}

/** The watchdog is not sent, since it must not open an incident. A test opens an incident and closes it. */
function eventsOf({ alerts, reason }: Notification): [NotifiedAlert, Action][] {
  if (reason === 'watchdog') return []
  return alerts.flatMap((alert): [NotifiedAlert, Action][] => {
    if (alert.state === 'resolved') return [[alert, 'resolve']]
    return reason === 'test'
      ? [
          [alert, 'trigger'],
          [alert, 'resolve'],
        ]
      : [[alert, 'trigger']]
  })
}

export function pagerdutyEvent(
  routingKey: string,
  { notification, alert, action }: { notification: Notification; alert: NotifiedAlert; action: Action },
): object {
  const head = { routing_key: routingKey, event_action: action, dedup_key: alert.fingerprint }
  if (action === 'resolve') return head
  const { source, groupKey } = notification
  const isLink = isWebAddress(alert.runbookUrl)
  return {
    ...head,
    client: 'market-kpi',
    ...(isLink ? { links: [{ href: alert.runbookUrl, text: 'What to do' }] } : {}),
    payload: {
      summary: clip(`${alert.rule}: ${alert.summary}`, maxSummary),
      source: source.evaluator,
      // Events API v2 knows our three severities, and also `error`.
      severity: alert.severity,
      timestamp: new Date(alert.firedAtMs).toISOString(),
      component: alert.stage,
      group: groupKey,
      class: alert.rule,
      custom_details: {
        topic: source.topic,
        group: source.group,
        labels: alert.labels,
        value: alert.value,
        unit: alert.unit,
        what_to_do: whatToDo(alert),
      },
    },
  }
}
